import type { AgentEvent } from "../engine.ts";
import { IasError, type ErrorOptions, messageOf } from "../../model/errors.ts";
import { modelStatusError, networkCode, redact } from "../model-status.ts";
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
  const { headers } = fields(error);
  return modelStatusError({
    status,
    code: text(fields(error)["code"]),
    message: messageOf(error).replace(/^\d{3}\s*/, ""),
    header: (name) => (headers instanceof Headers ? (headers.get(name) ?? "") : text(fields(headers)[name])),
  });
}

function failed(message: string, options: ErrorOptions): IasError {
  return new IasError("engine-failed", message, options);
}

/** The SDK's classes share few instances between its CJS and ESM builds, so they are known by name. */
function nameOf(error: unknown): string {
  if (!(error instanceof Error)) return "";
  const own = error.constructor.name;
  return own === "Error" || own === "DOMException" ? error.name : own;
}
