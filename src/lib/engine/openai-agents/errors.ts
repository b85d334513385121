import type { AgentEvent } from "../engine.ts";
import { IasError, type ErrorOptions } from "../../model/errors.ts";
import { fields, text } from "./sdk.ts";

/**
 * What a failed run becomes: an `end` when the agent itself refused (a guardrail, the model), else an `IasError` to throw.
 * Messages name the cause without what could be secret: nothing of a 401 or 403 answer, and no key-like word of any other.
 */
export function toFailure(error: unknown): { readonly end: AgentEvent } | { readonly error: IasError } {
  if (error instanceof IasError) return { error };
  const name = nameOf(error);
  const guardrail = text(fields(fields(fields(error)["result"])["guardrail"])["name"]) || "unnamed";
  switch (name) {
    case "InputGuardrailTripwireTriggered":
      return {
        end: { kind: "end", outcome: "rejected", message: [{ text: `The input was refused by the guardrail "${guardrail}".` }], metadata: { guardrail } },
      };
    case "OutputGuardrailTripwireTriggered":
      return {
        end: { kind: "end", outcome: "failed", message: [{ text: `The answer was withheld by the guardrail "${guardrail}".` }], metadata: { guardrail } },
      };
    case "ToolInputGuardrailTripwireTriggered":
    case "ToolOutputGuardrailTripwireTriggered":
      return {
        end: { kind: "end", outcome: "failed", message: [{ text: `A tool call was stopped by the guardrail "${guardrail}".` }], metadata: { guardrail } },
      };
    case "ModelRefusalError":
      return { end: { kind: "end", outcome: "rejected", message: [{ text: text(fields(error)["refusal"]) || "The model refused." }] } };
    case "MaxTurnsExceededError":
      return { error: failed(`The agent took more model calls than maxTurns allows: ${redact(messageOf(error))}`, { reason: "MAX_TURNS" }) };
    default:
      return { error: toModelError(error) };
  }
}

/** An error of a model call or of the run, as `IasError` with `retryable` and `retryAfterMs`. */
function toModelError(error: unknown): IasError {
  if (error instanceof IasError) return error;
  const { status } = fields(error);
  if (typeof status === "number") return fromStatus(status, error);
  const name = nameOf(error);
  if (name === "AbortError" || name === "APIUserAbortError") return new IasError("aborted", "The turn was aborted.");
  const network = networkCode(error);
  if (name === "APIConnectionTimeoutError" || name === "ModelTimeoutError")
    return failed("The model endpoint did not answer in time.", { retryable: true, reason: "MODEL_TIMEOUT" });
  if (name === "APIConnectionError" || network !== "") {
    return failed(`The connection to the model endpoint failed${network === "" ? "" : ` (${network})`}.`, { retryable: true, reason: "MODEL_UNREACHABLE" });
  }
  const message = redact(messageOf(error));
  if (/OPENAI_API_KEY|missing credentials/i.test(message)) {
    return new IasError("configuration", "There is no key for the model: give OPENAI_API_KEY, or a model with a client of your own.", {
      reason: "MODEL_KEY_MISSING",
    });
  }
  // The SDK's converters name the part in JSON, with its bytes.
  const refused = /^(?:Unsupported input content type|File input requires|Unsupported content type).*?"type":"(?:input_)?([\w-]+)"/.exec(message)?.[1];
  if (refused !== undefined) return new IasError("content-type-not-supported", `The agent's model does not take ${refused} parts in this form.`);
  return failed(message === "" ? "The agent's run failed." : message, { cause: error });
}

function fromStatus(status: number, error: unknown): IasError {
  const code = text(fields(error)["code"]);
  const said = redact(messageOf(error).replace(/^\d{3}\s*/, ""));
  const detail = said === "" || said.includes("no body") ? "" : `: ${said}`;
  if (status === 401 || status === 403) return failed(`The model endpoint refused the credentials (${status}).`, { reason: "MODEL_UNAUTHORIZED" });
  if (status === 429 && code === "insufficient_quota") return failed("The model account has no quota left (429).", { reason: "MODEL_QUOTA" });
  if (status === 429) {
    return failed(`The model endpoint limits the rate (429)${detail}`, { retryable: true, reason: "MODEL_RATE_LIMIT", ...retryAfter(error) });
  }
  if (status === 404) return failed(`The model or its endpoint does not exist (404)${detail}`, { reason: "MODEL_NOT_FOUND" });
  const retryable = status >= 500 || status === 408 || status === 409;
  const reason = retryable ? "MODEL_UNAVAILABLE" : "MODEL_REQUEST_REFUSED";
  return failed(`The model endpoint answered ${status}${detail}`, { retryable, reason, ...(retryable ? retryAfter(error) : {}) });
}

function failed(message: string, options: ErrorOptions): IasError {
  return new IasError("engine-failed", message, options);
}

/** `Retry-After` in seconds or as a date, or OpenAI's `retry-after-ms`. */
function retryAfter(error: unknown): { readonly retryAfterMs?: number } {
  const { headers } = fields(error);
  const get = (name: string): string => (headers instanceof Headers ? (headers.get(name) ?? "") : text(fields(headers)[name]));
  const ms = Number(get("retry-after-ms") || Number.NaN);
  if (Number.isFinite(ms) && ms >= 0) return { retryAfterMs: ms };
  const value = get("retry-after");
  if (value === "") return {};
  const seconds = Number(value);
  const wait = Number.isFinite(seconds) ? seconds * 1000 : Date.parse(value) - Date.now();
  return Number.isFinite(wait) ? { retryAfterMs: Math.max(0, Math.round(wait)) } : {};
}

/** At most 400 characters, without what looks like a key, a token or credentials in a URL. */
function redact(message: string): string {
  return message
    .replace(/\b(?:sk|pk|rk|key|gsk|xai|hf)[-_][\w*.-]{4,}/gi, "[redacted]")
    .replace(/\bAIza[\w-]{10,}/g, "[redacted]")
    .replace(/\b(Bearer|Basic)\s+\S+/gi, "$1 [redacted]")
    .replace(/((?:api[-_ ]?key|token|secret|password)[^\s:=]*(?:\s+provided)?\s*[:=]\s*)\S+/gi, "$1[redacted]")
    .replace(/\/\/[^/\s@]+@/g, "//[redacted]@")
    .slice(0, 400);
}

function networkCode(error: unknown): string {
  for (let one: unknown = error, depth = 0; one !== undefined && depth < 5; one = fields(one)["cause"], depth += 1) {
    const code = text(fields(one)["code"]);
    if (/^(?:E[A-Z]{3,}|UND_ERR_\w+)$/.test(code)) return code;
  }
  return "";
}

/** The SDK's classes share few instances between its CJS and ESM builds, so they are known by name. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const own = error.constructor.name;
  return own === "Error" || own === "DOMException" ? error.name : own;
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
