import type { StreamEvent } from "@openai/agents";
import { assistantMessage } from "@openai/agents/testing";
import type { AgentEvent, Turn } from "../../src/lib/engine/engine.ts";
import { openaiAgents } from "../../src/lib/engine/openai-agents.ts";

/** Never aborts. */
export const { signal } = new AbortController();
/** The schema of a tool without arguments. */
export const noArguments = { type: "object" as const, properties: {}, required: [] as string[], additionalProperties: true as const };

/** A model that says these chunks. */
export function* textStream(chunks: readonly string[]): Generator<StreamEvent> {
  yield { type: "response_started" };
  for (const delta of chunks) yield { type: "output_text_delta", delta };
  yield done(chunks.join(""), 3, 5);
}

/** The end of a model's answer. */
export function done(text: string, inputTokens: number, outputTokens: number): StreamEvent {
  const usage = { requests: 1, inputTokens, outputTokens, totalTokens: inputTokens + outputTokens };
  return { type: "response_done", response: { id: "r1", usage, output: [assistantMessage(text)] } };
}

/** All events of a turn. */
export async function run(agent: Parameters<typeof openaiAgents>[0], turn: Turn, options?: Parameters<typeof openaiAgents>[1]): Promise<readonly AgentEvent[]> {
  return all(openaiAgents(agent, options).run(turn, { signal }));
}

/** All that an iterable gives. */
export async function all(events: AsyncIterable<AgentEvent>): Promise<readonly AgentEvent[]> {
  const list: AgentEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}

/** The text of events, joined. */
export function textOf(events: readonly AgentEvent[]): string {
  return events.flatMap((event) => (event.kind === "text" ? [event.text] : [])).join("");
}

/** An event in a word. */
export function label(event: AgentEvent): string {
  if (event.kind === "text") return event.text;
  if (event.kind === "tool-call") return event.name;
  if (event.kind === "tool-result") return event.output;
  return event.kind === "delegation" ? `${event.from}>${event.to}` : "";
}
