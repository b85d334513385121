import type { Principal } from "../model/key.ts";
import type { Call, FrameStream, Operations } from "./operations.ts";

/** A place for one more stream of a caller, until it is disposed. Throws `limit-reached`. */
export type AdmitReader = (principal: Principal) => Disposable;

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
 * Refuses a stream for which there is no place before it does anything, so that a repeat does not send a message twice. A stream has its place until its frames
 * have ended or were given up, or its caller is gone.
 */
export function limitReaders(operations: Operations, admit: AdmitReader, onReader?: OnReader): Operations {
  const limited =
    (open: (call: Call, params: unknown) => Promise<FrameStream>) =>
    async (call: Call, params: unknown): Promise<FrameStream> => {
      const place = admit(call.principal);
      let listed: Disposable | undefined;
      let seq = 0;
      const leave = (): void => {
        call.signal.removeEventListener("abort", leave);
        place[Symbol.dispose]();
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
