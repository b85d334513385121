import type { JsonObject, StreamResponse, TaskState } from "../model/a2a.ts";
import type { ErrorCode, IasError } from "../model/errors.ts";
import { extensionIn, readExtension } from "../model/extension.ts";
import { isObject } from "../model/json.ts";
import type { Failure } from "./attempt.ts";

/** What a failure is to a campaign, by what it says: first its reason, then its HTTP status, then its code. */
type Class = Failure["class"];

/** Reasons say more than codes: those of engines (their task FAILED and says why) and of our own client. */
const BY_REASON: Readonly<Record<string, Class>> = {
  INFERENCE_STALLED: "stall",
  MODEL_RATE_LIMIT: "rate-limit",
  MODEL_UNAVAILABLE: "server-error",
  MODEL_TIMEOUT: "server-error",
  MODEL_UNREACHABLE: "transport",
  MODEL_STREAM_CUT: "transport",
  MODEL_STREAM_ERROR: "server-error",
  MODEL_STREAM_INVALID: "server-error",
  MODEL_NO_FINISH: "server-error",
  MODEL_FINISH_ERROR: "server-error",
  MODEL_QUOTA: "deterministic",
  MODEL_UNAUTHORIZED: "deterministic",
  MODEL_NOT_FOUND: "deterministic",
  MODEL_REQUEST_REFUSED: "deterministic",
  MODEL_KEY_MISSING: "deterministic",
  MAX_TURNS: "deterministic",
  HOP_LIMIT: "deterministic",
  HOP_CYCLE: "deterministic",
  REDIRECT_LIMIT: "deterministic",
  TARGET_INVALID: "deterministic",
  TURN_INTERRUPTED: "agent-failed",
};

const BY_CODE: Readonly<Record<ErrorCode, Class>> = {
  // The subject forgot the task, as one that keeps tasks in memory does when it starts again.
  "task-not-found": "transport",
  "task-not-cancelable": "agent-failed",
  "push-not-supported": "deterministic",
  "unsupported-operation": "deterministic",
  "content-type-not-supported": "deterministic",
  "invalid-agent-response": "agent-failed",
  "extended-card-not-configured": "deterministic",
  "extension-required": "deterministic",
  "version-not-supported": "deterministic",
  "parse-error": "deterministic",
  "invalid-request": "deterministic",
  "method-not-found": "deterministic",
  "invalid-params": "deterministic",
  internal: "server-error",
  unauthenticated: "deterministic",
  forbidden: "deterministic",
  "not-found": "deterministic",
  "too-large": "deterministic",
  "limit-reached": "rate-limit",
  unavailable: "transport",
  fenced: "agent-failed",
  conflict: "agent-failed",
  corrupt: "agent-failed",
  timeout: "transport",
  aborted: "transport",
  "engine-failed": "agent-failed",
  "remote-failed": "server-error",
  configuration: "deterministic",
};

/** The longest text of a failure that is kept. */
const MAX_MESSAGE = 2000;

/** What an error is to a campaign. */
export function failureOf(error: IasError): Failure {
  const { code, reason, details, message } = error;
  const retryAfterMs = error.retryAfterMs ?? msOf(details["retryAfterMs"]);
  return {
    class: classOf(code, reason, details, error.retryable),
    code: reason ?? code,
    message: withStatus(message, details["httpStatus"]).slice(0, MAX_MESSAGE),
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

/** An HTTP status is worth knowing, and an agent's own words seldom say it. */
function withStatus(message: string, status: string | undefined): string {
  return status === undefined || message.includes(status) ? message : `${message} (${status})`;
}

/**
 * The failure of a task that ended, or waits for somebody: undefined for one that is at work or is COMPLETED. What our extension says on a FAILED status
 * counts; of any other agent it is the agent that failed. REJECTED is a refusal, and nobody is there who could answer a question: neither is tried again.
 */
export function failureOfEvent(event: StreamResponse): Failure | undefined {
  if (!("task" in event) && !("statusUpdate" in event)) return undefined;
  const { status } = "task" in event ? event.task : event.statusUpdate;
  const said = (status.message?.parts ?? []).flatMap(({ text }) => (text === undefined ? [] : [text])).join("\n");
  const told = FAILED_STATES[status.state];
  if (told === undefined) return undefined;
  const isWaiting = told.code === "INPUT_REQUIRED" || told.code === "AUTH_REQUIRED";
  const message = (said === "" ? told.message : isWaiting ? `${told.message} It says: ${said}` : said).slice(0, MAX_MESSAGE);
  if (status.state !== "TASK_STATE_FAILED") return { class: told.class, code: told.code, message };
  const metadata = "task" in event ? keptFailure(event.task.metadata) : readExtension(event);
  if (metadata?.kind !== "failure") return { class: told.class, code: told.code, message };
  const details = metadata.details ?? {};
  const retryAfterMs = msOf(details["retryAfterMs"]);
  const known = Object.hasOwn(BY_CODE, metadata.code) ? (metadata.code as ErrorCode) : "engine-failed";
  return {
    class: classOf(known, metadata.reason, details, metadata.retryable),
    code: metadata.reason ?? metadata.code,
    message,
    ...(retryAfterMs !== undefined && { retryAfterMs }),
  };
}

const FAILED_STATES: Readonly<Partial<Record<TaskState, { readonly class: Class; readonly code: string; readonly message: string }>>> = {
  TASK_STATE_FAILED: { class: "agent-failed", code: "TASK_FAILED", message: "The subject's task failed, and it does not say why." },
  TASK_STATE_REJECTED: { class: "deterministic", code: "TASK_REJECTED", message: "The subject refused the task." },
  TASK_STATE_CANCELED: { class: "agent-failed", code: "TASK_CANCELED", message: "The subject's task was canceled by somebody else." },
  TASK_STATE_INPUT_REQUIRED: { class: "deterministic", code: "INPUT_REQUIRED", message: "The subject asks for input, and nobody is there to give it." },
  TASK_STATE_AUTH_REQUIRED: { class: "deterministic", code: "AUTH_REQUIRED", message: "The subject asks for credentials, and nobody is there to give them." },
};

function classOf(code: ErrorCode, reason: string | undefined, details: Readonly<Record<string, string>>, retryable: boolean): Class {
  const byReason = reason === undefined ? undefined : BY_REASON[reason];
  // A model server that names the request as the cause in mid-stream does so again.
  if (reason === "MODEL_STREAM_ERROR" && !retryable) return "deterministic";
  if (byReason !== undefined) return byReason;
  const status = Number(details["httpStatus"] ?? details["status"]);
  if (status === 429) return "rate-limit";
  if (status >= 500 || status === 408) return "server-error";
  return BY_CODE[code];
}

/** What a Task keeps of its failure. */
function keptFailure(metadata: JsonObject | undefined): ReturnType<typeof readExtension> {
  const { failure } = extensionIn(metadata);
  return isObject(failure) ? (failure as unknown as ReturnType<typeof readExtension>) : undefined;
}

function msOf(text: string | undefined): number | undefined {
  const ms = text === undefined ? Number.NaN : Number(text);
  return Number.isFinite(ms) && ms >= 0 ? ms : undefined;
}
