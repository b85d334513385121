import type { JsonObject } from "../model/a2a.ts";
import { EXTENSION_URI } from "../model/entry.ts";
import type { IasError } from "../model/errors.ts";
import type { Draft } from "./draft.ts";
import type { Scribe } from "./scribe.ts";

/** FAILED with the error's message for people and its code for programs. */
export function failedStatus(scribe: Scribe, error: IasError): Draft {
  const failure: JsonObject = {
    kind: "failure",
    code: error.code,
    retryable: error.retryable,
    ...(error.reason !== undefined && { reason: error.reason }),
    ...(Object.keys(error.details).length > 0 && { details: error.details }),
  };
  return scribe.status("TASK_STATE_FAILED", [{ text: error.message }], { [EXTENSION_URI]: failure });
}
