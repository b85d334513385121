import type { IncomingMessage } from "node:http";
import { IasError } from "../model/errors.ts";

/** The whole body. Throws `too-large` (the rest is not read) and `aborted`. */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const declared = Number(request.headers["content-length"] ?? 0);
  if (declared > maxBytes) throw tooLarge(maxBytes);
  const chunks: Buffer[] = [];
  let size = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      size += chunk.length;
      if (size > maxBytes) throw tooLarge(maxBytes);
      chunks.push(chunk);
    }
  } catch (error) {
    throw error instanceof IasError ? error : new IasError("aborted", "The request's body did not arrive whole.", { cause: error });
  }
  return chunks.length === 1 && chunks[0] !== undefined ? chunks[0] : Buffer.concat(chunks);
}

function tooLarge(maxBytes: number): IasError {
  return new IasError("too-large", `The body is larger than ${maxBytes} bytes (maxBodyBytes). Send files as URLs, or raise the limit.`);
}
