import type { Usage } from "../engine.ts";
import { fields, list, text } from "./sdk.ts";

/** The piece of reasoning in a raw event of the Responses API or of chat completions (`reasoning_content`: llama.cpp, vLLM, DeepSeek; `reasoning`: others), or "". */
export function reasoningDelta(event: unknown): string {
  const raw = fields(event);
  const type = text(raw["type"]);
  if (type === "response.reasoning_text.delta" || type === "response.reasoning_summary_text.delta") return text(raw["delta"]);
  const delta = choiceDelta(raw);
  return text(delta["reasoning_content"]) || text(delta["reasoning"]);
}

/** The piece of a refusal in a raw event, or "". */
export function refusalDelta(event: unknown): string {
  const raw = fields(event);
  return raw["type"] === "response.refusal.delta" ? text(raw["delta"]) : text(choiceDelta(raw)["refusal"]);
}

/** The model that a raw event names, or "". */
export function modelName(event: unknown): string {
  const raw = fields(event);
  return text(raw["model"]) || text(fields(raw["response"])["model"]);
}

/** The text of a message item that the model gave as a whole. */
export function messageText(item: unknown): string {
  return list(fields(item)["content"])
    .map((part) => (fields(part)["type"] === "output_text" ? text(fields(part)["text"]) : ""))
    .join("");
}

/** The text of a reasoning item: its own words, or else its summary. */
export function reasoningText(item: unknown): string {
  const { rawContent, content } = fields(item);
  const parts = list(rawContent).length > 0 ? list(rawContent) : list(content);
  return parts.map((part) => text(fields(part)["text"])).join("");
}

/** Token counts of one model call, from the SDK's usage object. */
export function toUsage(value: unknown, model: string): Usage | undefined {
  const usage = fields(value);
  const inputTokens = count(usage["inputTokens"]);
  const outputTokens = count(usage["outputTokens"]);
  const totalTokens = count(usage["totalTokens"]) || inputTokens + outputTokens;
  if (totalTokens === 0) return undefined;
  const cachedInputTokens = sum(usage["inputTokensDetails"], "cached_tokens");
  const reasoningTokens = sum(usage["outputTokensDetails"], "reasoning_tokens");
  return {
    inputTokens,
    outputTokens,
    totalTokens,
    ...(cachedInputTokens > 0 && { cachedInputTokens }),
    ...(reasoningTokens > 0 && { reasoningTokens }),
    ...(model !== "" && { model }),
  };
}

function choiceDelta(raw: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  return fields(fields(list(raw["choices"])[0])["delta"]);
}

function count(value: unknown): number {
  return typeof value === "number" && Number.isFinite(value) && value > 0 ? value : 0;
}

/** The SDK gives details as one record or as a list of them. */
function sum(details: unknown, key: string): number {
  const records = Array.isArray(details) ? details : [details];
  return records.reduce<number>((total, one) => total + count(fields(one)[key]), 0);
}
