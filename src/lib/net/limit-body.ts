import { IasError } from "../model/errors.ts";

/** How a response body is bounded and its errors told. */
export interface LimitBodyOptions {
  /** More bytes than this end the stream with `too-large`, reason RESPONSE_TOO_LARGE, and cancel the source. */
  readonly maxBytes: number;
  /** Turns what the source threw into our error. */
  explain(error: unknown): IasError;
  /** Called once: at the end, an error or a cancel. */
  done(): void;
}

/** Passes a body on, chunk by chunk and only when asked (it holds none), up to a limit. */
export function limitBody(source: ReadableStream<Uint8Array>, options: LimitBodyOptions): ReadableStream<Uint8Array> {
  const reader = source.getReader();
  let bytes = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const { done, value } = await reader.read();
          if (done) {
            options.done();
            controller.close();
            return;
          }
          bytes += value.byteLength;
          if (bytes > options.maxBytes)
            throw new IasError("too-large", `The response is larger than ${options.maxBytes} bytes.`, { reason: "RESPONSE_TOO_LARGE" });
          controller.enqueue(value);
        } catch (error) {
          options.done();
          controller.error(error instanceof IasError ? error : options.explain(error));
          await reader.cancel().catch(() => undefined);
        }
      },
      async cancel(reason) {
        options.done();
        await reader.cancel(reason);
      },
    },
    { highWaterMark: 0 },
  );
}
