import type { IasError } from "../model/errors.ts";
import { toMetadata } from "../model/extension.ts";
import type { Draft } from "./draft.ts";
import type { Scribe } from "./scribe.ts";

/** FAILED with the error's message for people and its code for programs. */
export function failedStatus(scribe: Scribe, error: IasError): Draft {
  const { code, message, reason, retryable, details } = error;
  const failure = toMetadata({
    kind: "failure",
    code,
    retryable,
    ...(reason !== undefined && { reason }),
    ...(Object.keys(details).length > 0 && { details }),
  });
  return scribe.status("TASK_STATE_FAILED", [{ text: message }], failure);
}
