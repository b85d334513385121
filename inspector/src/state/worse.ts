import type { ReadonlySignal } from "@preact/signals";
import { pageNow, pause } from "./frame.ts";
import type { Conditions } from "./transport.ts";

/** More is never held on the way; then the source waits. */
const MOST = 1000;

/**
 * What `source` gives, as a bad network would bring it: each piece `latencyMs` after it came, so that the rhythm stays, and no more than `bytesPerSecond`. With a rate the
 * source is read no faster than that, so that its side feels it too. In order, nothing lost; what `source` throws comes when its turn is. The conditions may change at any time: what
 * waits goes on under the new ones at once.
 */
export async function* worsen<T>(
  source: AsyncIterable<T>,
  {
    sizeOf,
    conditions,
    signal,
  }: { readonly sizeOf: (piece: T) => number; readonly conditions: ReadonlySignal<Conditions | undefined>; readonly signal: AbortSignal },
): AsyncGenerator<T, void, undefined> {
  type Step = { readonly at: number } & (
    | { readonly kind: "piece"; readonly piece: T }
    | { readonly kind: "end" }
    | { readonly kind: "error"; readonly error: unknown }
  );
  const way: Step[] = [];
  let arrived = Promise.withResolvers<void>();
  let left = Promise.withResolvers<void>();
  let over = false;
  const iterator = source[Symbol.asyncIterator]();
  const put = (step: Step): void => {
    way.push(step);
    arrived.resolve();
  };
  /** What is late because of the rate, and not of the way, keeps the source waiting. */
  const isFull = (): boolean => {
    const [first] = way;
    return first !== undefined && (way.length >= MOST || pageNow() - first.at >= (conditions.peek()?.latencyMs ?? 0));
  };
  const read = async (): Promise<void> => {
    try {
      for (;;) {
        const next = await iterator.next();
        if (next.done === true) return put({ kind: "end", at: pageNow() });
        put({ kind: "piece", piece: next.value, at: pageNow() });
        while (isFull() && !over) {
          await left.promise;
          left = Promise.withResolvers();
        }
        if (over) return;
      }
    } catch (error) {
      put({ kind: "error", error, at: pageNow() });
    }
  };
  const reading = read();
  /** Ends the wait for something on the way. */
  let waking = new AbortController();
  const wake = (): void => {
    waking.abort();
    waking = new AbortController();
    // Less lateness, and the source may be asked for more.
    left.resolve();
  };
  /** Over when the step may leave the way. What has passed of a piece at one rate does not pass again at another. */
  const pass = async (step: Step): Promise<void> => {
    let bytes: number | undefined;
    for (;;) {
      signal.throwIfAborted();
      const { latencyMs = 0, bytesPerSecond } = conditions.peek() ?? {};
      const from = pageNow();
      if (step.at + latencyMs > from) {
        await pause(step.at + latencyMs - from, waking.signal);
        continue;
      }
      if (step.kind !== "piece" || bytesPerSecond === undefined) return;
      bytes ??= sizeOf(step.piece);
      if (bytes < 1) return;
      await pause((1000 * bytes) / bytesPerSecond, waking.signal);
      bytes -= ((pageNow() - from) * bytesPerSecond) / 1000;
    }
  };
  const forget = conditions.subscribe(wake);
  signal.addEventListener("abort", wake);
  try {
    for (;;) {
      const [step] = way;
      if (step === undefined) {
        await arrived.promise;
        arrived = Promise.withResolvers();
        continue;
      }
      await pass(step);
      way.shift();
      left.resolve();
      if (step.kind === "end") return;
      if (step.kind === "error") throw step.error;
      yield step.piece;
    }
  } finally {
    over = true;
    forget();
    signal.removeEventListener("abort", wake);
    left.resolve();
    // Left early: nobody reads the rest.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
    void reading;
  }
}
