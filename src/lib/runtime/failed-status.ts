import type { IasError } from "../model/errors.ts";
import { toMetadata } from "../model/extension.ts";
import type { Draft } from "./draft.ts";
import type { Scribe } from "./scribe.ts";
import { clipText } from "./text.ts";

/** Of an error's text and of each of its facts: a foreign one may be of any length. UTF-16 units. */
const MOST_TEXT = 8192;
const MOST_FACT = 1024;

/** FAILED with the error's message for people and its code for programs. */
export function failedStatus(scribe: Scribe, error: IasError): Draft {
  const { code, reason, retryable } = error;
  const wait = error.retryAfterMs === undefined ? {} : { retryAfterMs: String(Math.ceil(error.retryAfterMs)) };
  const details = Object.fromEntries(Object.entries({ ...error.details, ...wait }).map(([name, fact]) => [name, clipText(fact, MOST_FACT)]));
  const failure = toMetadata({
    kind: "failure",
    code,
    retryable,
    ...(reason !== undefined && { reason }),
    ...(Object.keys(details).length > 0 && { details }),
  });
  return scribe.status("TASK_STATE_FAILED", [{ text: clipText(error.message, MOST_TEXT) }], failure);
}
