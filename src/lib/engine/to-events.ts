import { IasError } from "../model/errors.ts";
import type { AgentEvent } from "./engine.ts";
import { nameOf } from "./event-values.ts";

/**
 * What an engine gave to be read: an async iterable, or one that has all at hand. Each event is still to be read by `toEvent`.
 * @throws IasError `engine-failed`, reason EVENT_INVALID, for what cannot be read: a function that forgot its asterisk, or that returns its events.
 */
export function toEvents(given: unknown): AsyncIterable<AgentEvent> {
  if (typeof given === "object" && given !== null) {
    if (Symbol.asyncIterator in given) return given as AsyncIterable<AgentEvent>;
    if (Symbol.iterator in given) return each(given as Iterable<AgentEvent>);
  }
  const right = "an AsyncIterable of events, as async *run(turn, { signal }) { … } gives";
  throw new IasError("engine-failed", `The agent's engine gave ${nameOf(given)} for its turn. Right is ${right}.`, { reason: "EVENT_INVALID" });
}

async function* each(events: Iterable<AgentEvent>): AsyncGenerator<AgentEvent, void, undefined> {
  yield* events;
}
