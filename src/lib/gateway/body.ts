import type { IncomingMessage } from "node:http";
import { IasError } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";

/** Of each body, what is taken however many others are under way, bytes: ordinary messages get through while somebody sends long ones slowly. */
const ALWAYS_TAKEN = 64 * 1024;

/**
 * Reads whole bodies, of all requests of a server together at most `maxBufferedBytes` at a time: whoever sends very many of them, slowly, must not fill the memory.
 * Throws `too-large` (the rest is not read), `limit-reached` with reason TOO_MANY_BODIES, and `aborted`.
 */
export function createBodyReader({
  maxBodyBytes,
  maxBufferedBytes,
}: Pick<Limits, "maxBodyBytes" | "maxBufferedBytes">): (request: IncomingMessage) => Promise<Buffer> {
  let buffered = 0;
  return async (request) => {
    const declared = Number(request.headers["content-length"] ?? 0);
    if (declared > maxBodyBytes) throw tooLarge(maxBodyBytes);
    const chunks: Buffer[] = [];
    let size = 0;
    let counted = 0;
    try {
      for await (const chunk of request as AsyncIterable<Buffer>) {
        size += chunk.length;
        if (size > maxBodyBytes) throw tooLarge(maxBodyBytes);
        const more = Math.max(0, size - ALWAYS_TAKEN) - counted;
        if (buffered + more > maxBufferedBytes) throw tooMany(maxBufferedBytes);
        buffered += more;
        counted += more;
        chunks.push(chunk);
      }
    } catch (error) {
      throw error instanceof IasError ? error : new IasError("aborted", "The request's body did not arrive whole.", { cause: error });
    } finally {
      buffered -= counted;
    }
    return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
  };
}

function tooLarge(maxBytes: number): IasError {
  return new IasError("too-large", `The body is larger than ${maxBytes} bytes (maxBodyBytes). Send files as URLs, or raise the limit.`);
}

function tooMany(maxBytes: number): IasError {
  return new IasError("limit-reached", `Bodies of ${maxBytes} bytes are on their way to this server (maxBufferedBytes); send the request again in a moment.`, {
    reason: "TOO_MANY_BODIES",
    retryable: true,
    retryAfterMs: 2000,
  });
}
