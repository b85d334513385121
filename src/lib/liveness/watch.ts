import type { StreamResponse } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { type Liveness, type LivenessEvent, type LivenessSignal, startLiveness } from "./liveness.ts";
import { createProof } from "./proof.ts";
import { readSignals } from "./read-signals.ts";
import { inferenceStalled } from "./stalled.ts";
import { step } from "./step.ts";
import { resolveThresholds, type Thresholds } from "./thresholds.ts";
import { createTicker, type Ticker } from "./ticker.ts";

/** What can be watched: A2A events, alone or as the items of this package's client. */
export type Watchable = StreamResponse | { readonly event: StreamResponse; readonly resync?: "append" | "replace" };

/**
 * What silence says of the agent. `nothing`: it promises no pieces and has shown none yet, so that only its connection is judged, and whoever waits for it needs
 * another way to find it hung (a model server's metrics, a time-out). `content`: it streams, and silence is silence of its model.
 */
export type Judges = "content" | "nothing";

/** What is told of a watched stream. */
export type WatchEvent = LivenessEvent | { readonly kind: "judges"; readonly judges: "content" };

/** An item of the stream, or what is told of it, in order. */
export type Seen<T> = { readonly kind: "item"; readonly item: T } | { readonly kind: "liveness"; readonly event: WatchEvent };

/** How a stream is watched. */
export interface WatchOptions {
  readonly thresholds?: Partial<Thresholds>;
  /** `content` where it is known that the agent streams: it speaks our extension (`client.hasCursors`), or showed it before. Default `nothing`, until it shows it. */
  readonly judges?: Judges;
  /** What it does when the watch begins; `prefill` (a request went out). */
  readonly from?: "queued" | "connecting" | "prefill";
  /** `throw`: the iteration rejects with `INFERENCE_STALLED` as soon as a stall is found. `report` (default): it is told, and the iteration goes on. */
  readonly onStall?: "report" | "throw";
  /** Hears what is told, as it happens. It must not throw. */
  readonly onLiveness?: (event: WatchEvent) => void;
  /** Shared by many watches; stays the caller's. Default: one of this watch's own. */
  readonly ticker?: Ticker;
}

/**
 * A stream that is watched while it is iterated, once: as its items, or `merged` with what is told. What the consumer takes for an item is not the agent's silence
 * (`throttled`). Leaving the loop leaves the source; it does not wait for one that is silent, which ends by the signal that it was given.
 */
export interface Watched<T> extends AsyncIterable<T> {
  merged(): AsyncIterable<Seen<T>>;
  state(): Liveness;
  judges(): Judges;
  /** What the stream does not say by itself: that a connection was lost (`connecting`), or a rate limit is waited for. */
  tell(signal: LivenessSignal): void;
}

/** Watches `source`. Throws `configuration` for thresholds that cannot be right. */
export function watch<T extends Watchable>(source: AsyncIterable<T>, options: WatchOptions = {}): Watched<T> {
  const given = resolveThresholds(options.thresholds);
  const ticker = options.ticker ?? createTicker();
  const proof = createProof(given.gapMs);
  let judges = options.judges ?? "nothing";
  let thresholds = judges === "content" ? given : withoutContent(given);
  let state = startLiveness(ticker.now(), options.from ?? "prefill");
  let started = false;
  /** Since when the consumer has an item and asked for no other. */
  let heldSince: number | undefined;
  let stall: IasError | undefined;
  /** What `merged` has not told yet; undefined where nobody reads it. */
  let queue: WatchEvent[] | undefined;
  let wake: (() => void) | undefined;

  const tellAll = (events: readonly WatchEvent[]): void => {
    for (const event of events) {
      queue?.push(event);
      options.onLiveness?.(event);
      if (event.kind === "stalled") stall = inferenceStalled(event.stall);
    }
    if (events.length > 0) wake?.();
  };
  const signal = (one: LivenessSignal, at: number): void => {
    const next = step(state, { kind: "signal", at, signal: one }, thresholds);
    state = next.state;
    tellAll(next.events);
  };
  const tick = (at: number, lagMs: number): void => {
    if (heldSince !== undefined && !state.throttled) signal({ kind: "throttled" }, heldSince);
    const next = step(state, { kind: "tick", at, lagMs }, thresholds);
    state = next.state;
    tellAll(next.events);
  };
  const see = (item: T): void => {
    const at = ticker.now();
    const event = eventOf(item);
    if (judges === "nothing" && !("resync" in item) && proof.see(event, at)) {
      judges = "content";
      thresholds = given;
      tellAll([{ kind: "judges", judges }]);
    }
    for (const one of readSignals(event)) signal(one, at);
  };
  const hold = (): void => {
    heldSince = ticker.now();
  };
  const release = (): void => {
    if (heldSince === undefined) return;
    const at = ticker.now();
    if (!state.throttled && at - heldSince >= 1) signal({ kind: "throttled" }, heldSince);
    if (state.throttled) signal({ kind: "unthrottled" }, at);
    heldSince = undefined;
  };

  /** Gives items, and in between, where somebody reads it, what is told. */
  async function* run(wantsAll: boolean): AsyncGenerator<Seen<T>, void, undefined> {
    if (started) throw new IasError("conflict", "A watched stream can be iterated once.");
    started = true;
    if (wantsAll) queue = [];
    const iterator = source[Symbol.asyncIterator]();
    const leave = ticker.add(tick);
    let pending: Promise<void> | undefined;
    let result: { readonly next: IteratorResult<T> } | { readonly error: unknown } | undefined;
    try {
      for (;;) {
        for (let event = queue?.shift(); event !== undefined; event = queue?.shift()) {
          hold();
          yield { kind: "liveness", event };
          release();
        }
        if (stall !== undefined && options.onStall === "throw") throw stall;
        pending ??= iterator.next().then(
          (next) => {
            result = { next };
          },
          (error: unknown) => {
            result = { error };
          },
        );
        if (result === undefined) await anyOf(pending, (resolve) => (wake = resolve));
        wake = undefined;
        if (result === undefined) continue;
        pending = undefined;
        if ("error" in result) throw result.error;
        if (result.next.done === true) {
          signal({ kind: "ended" }, ticker.now());
          for (const event of queue ?? []) yield { kind: "liveness", event };
          return;
        }
        const item = result.next.value;
        result = undefined;
        see(item);
        hold();
        yield { kind: "item", item };
        release();
      }
    } finally {
      leave();
      if (options.ticker === undefined) ticker[Symbol.dispose]();
      heldSince = undefined;
      signal({ kind: "ended" }, ticker.now());
      const left = iterator.return?.();
      // A generator that waits for its model returns only when that answers.
      if (pending === undefined) await left;
      else left?.catch(() => undefined);
    }
  }

  return {
    async *[Symbol.asyncIterator]() {
      for await (const seen of run(false)) if (seen.kind === "item") yield seen.item;
    },
    merged: () => run(true),
    state: () => state,
    judges: () => judges,
    tell: (one) => signal(one, ticker.now()),
  };
}

/** Resolves with `first`, or when the function that `hand` gets is called. A race would leave something behind at a promise that stays pending. */
function anyOf(first: Promise<void>, hand: (resolve: () => void) => void): Promise<void> {
  return new Promise((resolve) => {
    hand(resolve);
    void first.then(resolve);
  });
}

function eventOf(item: Watchable): StreamResponse {
  return "event" in item ? item.event : item;
}

/** What can be judged of an agent that shows no pieces: its connection, and a total that was set. */
function withoutContent(thresholds: Thresholds): Thresholds {
  const none = Number.POSITIVE_INFINITY;
  return { ...thresholds, firstByteMs: none, firstContentMs: none, gapMs: none, toolMs: none, adaptiveFactor: 0, slowRate: 0 };
}
