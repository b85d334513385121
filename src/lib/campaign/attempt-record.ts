import { EXTENSION_URI, type NewEntry } from "../model/entry.ts";
import type { Json, JsonObject, StreamResponse } from "../model/a2a.ts";
import { type ExtensionData, readExtension, toMetadata } from "../model/extension.ts";
import type { Attempt, Outcome } from "./attempt.ts";

/**
 * The form of attempts in the store: a record each, so that all are read in order of their keys without their streams. An outcome that is too long for a
 * record (an answer may have a million characters) is an internal entry of the attempt's stream, and the record says where.
 */
export const ATTEMPTS = "attempt/";

/** Outcomes of more characters go into the stream. */
const MAX_INLINE = 64 * 1024;

/** The folder of a battle's attempts. */
export function battlePrefix(battle: string): string {
  return `${ATTEMPTS}${battle}/`;
}

/** The key of an attempt's record: attempts of one battle stand together, in their order. */
export function attemptKey(battle: string, attempt: number): string {
  return battlePrefix(battle) + String(attempt).padStart(6, "0");
}

/** What a record holds. */
interface Stored extends Omit<Attempt, "outcome"> {
  readonly outcome?: Outcome;
  /** The entry that holds the outcome. */
  readonly outcomeAt?: number;
}

/** An attempt as a record's value; and, when its outcome is long, as the text of the outcome that goes into entry `seq`. */
export function toStored(attempt: Attempt, seq: number): { readonly value: string; readonly outcome?: string } {
  const { outcome, ...rest } = attempt;
  const text = outcome === undefined ? undefined : JSON.stringify(outcome);
  if (text === undefined || text.length <= MAX_INLINE) return { value: JSON.stringify(attempt) };
  return { value: JSON.stringify({ ...rest, outcomeAt: seq } satisfies Stored), outcome: text };
}

/** An attempt of a record's value; `load` gives the event of an entry of its stream. The value was written by `toStored`, so its form is trusted. */
export async function fromStored(
  value: string,
  load: (attempt: Pick<Attempt, "battle" | "attempt">, seq: number) => Promise<StreamResponse | undefined>,
): Promise<Attempt> {
  const { outcomeAt, ...attempt } = JSON.parse(value) as Stored;
  if (outcomeAt === undefined) return attempt;
  const event = await load(attempt, outcomeAt);
  const data = event === undefined ? undefined : readExtension(event);
  if (data?.kind !== "note" || typeof data.value !== "string") return attempt;
  return { ...attempt, outcome: JSON.parse(data.value) as Outcome };
}

/** An entry that is nobody's event, only ours. */
export function noteEntry(name: string, value: Json, place: { readonly at: number; readonly gen: number }): NewEntry {
  const metadata: JsonObject = { [EXTENSION_URI]: { kind: "note", name, value } };
  const event: StreamResponse = { statusUpdate: { taskId: "", contextId: "", status: { state: "TASK_STATE_WORKING" }, metadata } };
  return { ...place, attempt: 1, audience: "internal", event: JSON.stringify(event) };
}

/** What the runner saw of an attempt, as an event of its stream. */
export function asideEvent(attempt: Attempt, data: ExtensionData): StreamResponse {
  const ids = { taskId: attempt.taskId ?? "", contextId: attempt.contextId };
  return { statusUpdate: { ...ids, status: { state: "TASK_STATE_WORKING" }, metadata: toMetadata(data) } };
}
