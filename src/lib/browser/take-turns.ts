import { cursorOf, type Source } from "./source.ts";

/**
 * At most `max` subscriptions at once, as browsers allow six connections an origin over HTTP/1. Where more are wanted they take turns: the one that has had its
 * connection longest goes back into the queue after `sliceMs`, and comes back after its cursor, so that every stream goes on and none misses anything.
 */
export function takeTurns(source: Source, { max, sliceMs = 1000 }: { readonly max: number; readonly sliceMs?: number }): Source {
  const waiting: (() => void)[] = [];
  const running: { readonly since: number; readonly giveUp: () => void }[] = [];
  let free = max;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const arrange = (): void => {
    clearTimeout(timer);
    const oldest = running[0];
    if (waiting.length === 0 || oldest === undefined) return;
    const left = oldest.since + sliceMs - performance.now();
    if (left <= 0) oldest.giveUp();
    else timer = setTimeout(arrange, left);
  };

  const wait = async (signal: AbortSignal): Promise<void> => {
    if (free > 0) {
      free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const go = (): void => {
        signal.removeEventListener("abort", leave);
        resolve();
      };
      const leave = (): void => {
        waiting.splice(waiting.indexOf(go), 1);
        reject(signal.reason as Error);
      };
      signal.throwIfAborted();
      signal.addEventListener("abort", leave, { once: true });
      waiting.push(go);
      arrange();
    });
  };

  const release = (): void => {
    const next = waiting.shift();
    if (next === undefined) free += 1;
    else next();
  };

  return async function* (subscription, signal) {
    let { after } = subscription;
    for (;;) {
      await wait(signal);
      const turn = new AbortController();
      const place = { since: performance.now(), giveUp: () => turn.abort() };
      running.push(place);
      arrange();
      try {
        for await (const piece of source({ ...subscription, after }, AbortSignal.any([signal, turn.signal]))) {
          after = cursorOf(piece) ?? after;
          yield piece;
        }
        return;
      } catch (error) {
        if (signal.aborted || !turn.signal.aborted) throw error;
      } finally {
        running.splice(running.indexOf(place), 1);
        release();
        arrange();
      }
    }
  };
}
