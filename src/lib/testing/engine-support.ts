import type { AgentEvent, Engine } from "../engine/engine.ts";
import { inTime } from "./in-time.ts";

/** One rule of the `Engine` contract, as code: throws if the engine breaks it. Independent of the others. */
export interface EngineCase {
  readonly title: string;
  /** What the harness must offer for this case; absent: nothing more than `stream`. */
  readonly needs?: "ask";
  run(harness: EngineHarness): Promise<void>;
}

/** How the suite makes the engine under test do things. Each call makes a new engine that shares nothing with earlier ones. */
export interface EngineHarness {
  /** An engine whose turns say what `source` makes, each piece as one chunk. It MUST ask `source` for a piece only when it needs one. */
  stream(source: ChunkSource): Engine;
  /** An engine that ends its first turn with an `interrupt`; when the user answers `answer`, it says what `source` makes. Absent: this kind of engine never asks. */
  readonly ask?: { readonly answer: string; create(source: ChunkSource): Engine };
}

/** Makes the pieces of one turn. `input` holds the text that the user said (perhaps among other words); `signal` aborts when the engine gives the source up. */
export type ChunkSource = (turn: { readonly input: string; readonly signal: AbortSignal }) => AsyncIterable<string>;

/** Time after which a case counts as hung, in ms. Nothing else depends on it. */
const HUNG_MS = 60_000;

/** A source of fixed pieces. */
export function pieces(list: readonly string[]): ChunkSource {
  return async function* () {
    yield* list;
  };
}

/** Every event of a turn. */
export async function collect(events: AsyncIterable<AgentEvent>): Promise<readonly AgentEvent[]> {
  const list: AgentEvent[] = [];
  for await (const event of events) list.push(event);
  return list;
}

/** The text pieces of the answer among `events` (not those of child agents). */
export function textsOf(events: readonly AgentEvent[]): readonly string[] {
  return events.flatMap((event) => (event.kind === "text" && event.path === undefined ? [event.text] : []));
}

/** Asks for events until the next piece of text; undefined at the end. */
export async function nextText(iterator: AsyncIterator<AgentEvent>): Promise<string | undefined> {
  for (;;) {
    const { done, value } = await iterator.next();
    if (done === true) return undefined;
    if (value.kind === "text") return value.text;
  }
}

/** Turns of the event loop in which whoever wants to run ahead can. */
export async function idle(turns = 20): Promise<void> {
  for (let n = 0; n < turns; n += 1) await new Promise<void>((resolve) => setImmediate(resolve));
}

/** `work`, or an error that says what hung. */
export function notHung<T>(what: string, work: Promise<T>, ms = HUNG_MS): Promise<T> {
  return inTime(work, ms, `Hung: ${what} (${ms} ms).`);
}
