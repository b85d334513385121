import type { Piece } from "./source.ts";

/** What has come of a subscription and was not taken yet; who sends bounds it by what it was told is settled. */
export interface Inbox {
  take(piece: Piece, bytes: number): void;
  /** Nothing follows. */
  finish(): void;
  fail(error: unknown): void;
  readonly isOver: boolean;
  /** The next piece; undefined at the end. Throws what it failed with, after the pieces before it, and the signal's reason. */
  next(signal: AbortSignal): Promise<Piece | undefined>;
}

/** Makes one. `settle` hears when the reader is back for more: it has dealt with what it was given. */
export function createInbox(settle: (piece: Piece, bytes: number) => void): Inbox {
  const pieces: (readonly [Piece, number])[] = [];
  let given: readonly [Piece, number] | undefined;
  let over: { readonly error?: unknown } | undefined;
  let wake = (): void => undefined;

  return {
    take(piece, bytes) {
      pieces.push([piece, bytes]);
      wake();
    },
    finish() {
      over ??= {};
      wake();
    },
    fail(error) {
      over ??= { error };
      wake();
    },
    get isOver() {
      return over !== undefined;
    },
    async next(signal) {
      if (given !== undefined) settle(...given);
      given = undefined;
      while (pieces.length === 0) {
        if (over !== undefined) {
          if ("error" in over) throw over.error;
          return undefined;
        }
        await orAborted(new Promise<void>((resolve) => (wake = resolve)), signal);
      }
      signal.throwIfAborted();
      given = pieces.shift();
      return given?.[0];
    },
  };
}

/** What `work` gives; throws the signal's reason if that aborts first. */
export async function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  signal.throwIfAborted();
  return new Promise<T>((resolve, reject) => {
    const abort = (): void => reject(signal.reason as Error);
    signal.addEventListener("abort", abort, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener("abort", abort));
  });
}
