import { IasError } from "../model/errors.ts";
import type { Call, FrameStream, Operations } from "./operations.ts";

/** Operations that open at most `maxReaders` streams at once, whatever binding asks. */
export interface LimitedOperations extends Operations {
  /** Streams that are open now. */
  readonly readers: number;
}

/**
 * Refuses a stream over the limit with `limit-reached` before it does anything, so that a repeat does not send a message twice. A stream counts until its frames
 * have ended or were given up, or its caller is gone.
 */
export function limitReaders(operations: Operations, maxReaders: number): LimitedOperations {
  let readers = 0;

  const limited =
    (open: (call: Call, params: unknown) => Promise<FrameStream>) =>
    async (call: Call, params: unknown): Promise<FrameStream> => {
      if (readers >= maxReaders) throw tooMany(readers);
      readers += 1;
      let counted = true;
      const leave = (): void => {
        call.signal.removeEventListener("abort", leave);
        if (counted) readers -= 1;
        counted = false;
      };
      call.signal.addEventListener("abort", leave);
      try {
        const stream = await open(call, params);
        if (call.signal.aborted) leave();
        return { ...stream, frames: watch(stream.frames, leave) };
      } catch (error) {
        leave();
        throw error;
      }
    };

  return {
    ...operations,
    sendStreamingMessage: limited((call, params) => operations.sendStreamingMessage(call, params)),
    subscribeToTask: limited((call, params) => operations.subscribeToTask(call, params)),
    get readers() {
      return readers;
    },
  };
}

/** The same frames; `ended` is called once they have ended, failed or are given up. By hand and not as a generator: it is on the way of every token. */
function watch<T>(frames: AsyncIterable<T>, ended: () => void): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const source = frames[Symbol.asyncIterator]();
      return {
        async next() {
          try {
            const result = await source.next();
            if (result.done === true) ended();
            return result;
          } catch (error) {
            ended();
            throw error;
          }
        },
        async return() {
          ended();
          await source.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

function tooMany(readers: number): IasError {
  return new IasError("limit-reached", `${readers} streams are open (maxReaders); try again in a moment.`, {
    reason: "TOO_MANY_READERS",
    retryable: true,
    retryAfterMs: 1000,
  });
}
