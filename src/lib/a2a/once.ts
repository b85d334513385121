import { createHash } from "node:crypto";
import type { RecordWrite, StoredRecord } from "../log/records.ts";
import { EXTENSION_URI } from "../model/entry.ts";
import { IasError } from "../model/errors.ts";
import { isObject } from "../model/json.ts";
import { joinKey, keyText, type StreamKey } from "../model/key.ts";
import type { Call } from "./operations.ts";
import type { SendParams } from "./parse.ts";

/** Idempotent sending, by opt-in (SEMANTICS 16): one record a message, written in the transaction that records the message. */
export interface Once {
  readonly key: string;
  readonly hash: string;
}

/** The record's content: which task the message went to, and the head after it was recorded (0: it made the task). */
export interface OnceValue {
  readonly task: string;
  readonly hash: string;
  readonly created: boolean;
}

/** The idempotency key of a request, or undefined where the caller did not opt in. */
export function onceOf(call: Call, params: SendParams): Once | undefined {
  if (!call.extensions.has(EXTENSION_URI) && call.idempotencyKey === undefined) return undefined;
  const { tenant, user } = call.principal;
  const { message, metadata } = params;
  const id = call.idempotencyKey ?? message.messageId;
  const hash = createHash("sha256")
    .update(canonical({ message, metadata: metadata ?? {} }))
    .digest("base64url");
  return { key: joinKey("once", tenant, user, call.agent.id, message.taskId ?? "", id), hash };
}

/** What to write with the message: the record itself, and a note of it under the task's folder so that it goes with the task. */
export function onceRecords(once: Once | undefined, key: StreamKey, created: boolean): readonly RecordWrite[] {
  if (once === undefined) return [];
  const value: OnceValue = { task: key.task, hash: once.hash, created };
  const note = createHash("sha256").update(once.key).digest("base64url");
  return [
    { key: once.key, value: JSON.stringify(value), ifVersion: 0 },
    { key: joinKey("task", keyText(key), "once", note), value: JSON.stringify({ key: once.key }) },
  ];
}

/** The task that a repeated request attaches to. Throws `invalid-params` with reason IDEMPOTENCY_MISMATCH for another request under the same key. */
export function readOnce(record: StoredRecord, once: Once): OnceValue {
  const value = JSON.parse(record.value) as OnceValue;
  if (value.hash !== once.hash) {
    throw new IasError("invalid-params", "This idempotency key (or messageId) was used for a different request; use a new one for a new message.", {
      reason: "IDEMPOTENCY_MISMATCH",
      fields: [{ field: "message.messageId", description: "was used for a different request" }],
    });
  }
  return value;
}

/** JSON with members in order, so that equal requests have equal text (RFC 8785 for the values that JSON.parse gives). */
function canonical(value: unknown): string {
  return JSON.stringify(value, (_key, member: unknown) =>
    isObject(member) ? Object.fromEntries(Object.entries(member).sort(([a], [b]) => (a < b ? -1 : 1))) : member,
  );
}
