import { IasError } from "../model/errors.ts";
import type { Call, FrameStream, Operations } from "./operations.ts";

/** Operations that open at most `maxReaders` streams at once, whatever binding asks. */
export interface LimitedOperations extends Operations {
  /** Streams that are open now. */
  readonly readers: number;
}

/** Hears of each stream that is opened by a way that is listed; `at` gives the last seq that its reader was given. What it returns is disposed when the stream is over. */
export type OnReader = (stream: FrameStream, transport: NonNullable<Call["transport"]>, at: () => number) => Disposable;

/** The same operations for calls that came by `transport`; calls of protocol 0.3 are of `v0.3`. `more` goes with each. */
export function withTransport(operations: Operations, transport: NonNullable<Call["transport"]>, more: Pick<Call, "maxBatchBytes"> = {}): Operations {
  const named = (call: Call): Call => ({ ...call, ...more, transport: call.version === "0.3" ? "v0.3" : transport });
  return {
    ...operations,
    sendStreamingMessage: (call, params) => operations.sendStreamingMessage(named(call), params),
    subscribeToTask: (call, params) => operations.subscribeToTask(named(call), params),
  };
}

/**
 * Refuses a stream over the limit with `limit-reached` before it does anything, so that a repeat does not send a message twice. A stream counts until its frames
 * have ended or were given up, or its caller is gone.
 */
export function limitReaders(operations: Operations, maxReaders: number, onReader?: OnReader): LimitedOperations {
  let readers = 0;

  const limited =
    (open: (call: Call, params: unknown) => Promise<FrameStream>) =>
    async (call: Call, params: unknown): Promise<FrameStream> => {
      if (readers >= maxReaders) throw tooMany(readers);
      readers += 1;
      let counted = true;
      let listed: Disposable | undefined;
      let seq = 0;
      const leave = (): void => {
        call.signal.removeEventListener("abort", leave);
        if (counted) readers -= 1;
        counted = false;
        listed?.[Symbol.dispose]();
      };
      call.signal.addEventListener("abort", leave);
      try {
        const stream = await open(call, params);
        if (call.transport !== undefined && stream.opening !== "message") listed = onReader?.(stream, call.transport, () => seq);
        if (call.signal.aborted) leave();
        return { ...stream, frames: watch(stream.frames, leave, (batch) => (seq = batch.at(-1)?.seq ?? seq)) };
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

/** The same frames; `given` is told of each, `ended` is called once they have ended, failed or are given up. By hand and not as a generator: it is on the way of every token. */
function watch<T>(frames: AsyncIterable<T>, ended: () => void, given: (batch: T) => void): AsyncIterable<T> {
  return {
    [Symbol.asyncIterator]() {
      const source = frames[Symbol.asyncIterator]();
      return {
        async next() {
          try {
            const result = await source.next();
            if (result.done === true) ended();
            else given(result.value);
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
