import { pageNow, pause } from "./frame.ts";
import type { Conditions } from "./transport.ts";

/** More is never held on the way; then the source waits. */
const MOST = 1000;

/**
 * What `source` gives, as a bad network would bring it: each piece `latencyMs` after it came, so that the rhythm stays, and no more than `bytesPerSecond`. With a rate the
 * source is read no faster than that, so that its side feels it too. In order, nothing lost; what `source` throws comes when its turn is. The conditions may change at any time.
 */
export async function* worsen<T>(
  source: AsyncIterable<T>,
  { sizeOf, conditions, signal }: { readonly sizeOf: (piece: T) => number; readonly conditions: () => Conditions | undefined; readonly signal: AbortSignal },
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
    return first !== undefined && (way.length >= MOST || pageNow() - first.at >= (conditions()?.latencyMs ?? 0));
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
  /** The moment from which on the next byte may pass. */
  let free = 0;
  try {
    for (;;) {
      const [step] = way;
      if (step === undefined) {
        await arrived.promise;
        arrived = Promise.withResolvers();
        continue;
      }
      const { latencyMs = 0, bytesPerSecond } = conditions() ?? {};
      const due = step.at + latencyMs;
      if (due > pageNow()) await pause(due - pageNow(), signal);
      if (step.kind === "piece" && bytesPerSecond !== undefined) {
        free = Math.max(free, pageNow()) + (1000 * sizeOf(step.piece)) / bytesPerSecond;
        await pause(free - pageNow(), signal);
      }
      signal.throwIfAborted();
      way.shift();
      left.resolve();
      if (step.kind === "end") return;
      if (step.kind === "error") throw step.error;
      yield step.piece;
    }
  } finally {
    over = true;
    left.resolve();
    // Left early: nobody reads the rest.
    void Promise.resolve(iterator.return?.()).catch(() => undefined);
    void reading;
  }
}
