import { serveContent } from "../media/blob-page.ts";
import type { BlobStore } from "../media/blobs.ts";
import { agreeType, servedType, SNIFF_BYTES } from "../media/sniff.ts";
import { type Receiving, toFileUrl, uploadOwner, type WaitingUploads } from "../media/uploads.ts";
import type { UploadedFile } from "../model/api.ts";
import { IasError } from "../model/errors.ts";
import type { Principal, StreamKey } from "../model/key.ts";
import type { Limits } from "../model/limits.ts";
import { cleanFilename, isTraversal } from "../net/filename.ts";
import { boundaryOf, type MultipartPart, readMultipart } from "../net/multipart.ts";
import type { RouteReply, RouteRequest } from "../net/route.ts";
import { defineEndpoint, defineRawEndpoint, type Endpoint } from "./endpoint.ts";
import { uploadsSchema } from "./schemas.ts";

/** What uploads stand on. */
export interface UploadsOptions {
  readonly blobs: BlobStore;
  readonly waiting: WaitingUploads;
  /** Agents' ids: a caller's files of these are found under `/api/files` too. */
  readonly agents: () => Iterable<string>;
  readonly limits: Pick<Limits, "maxUploadBytes" | "maxUploadFiles" | "maxWaitingUploadBytes" | "fileUrlMs">;
  /** Media types that are taken, `image/*` or whole; `*` + `/*` takes all. */
  readonly types: readonly string[];
  readonly now: () => number;
}

/** How often uploads that nobody used are looked for, ms. */
const SWEEP_MS = 3_600_000;

/**
 * `POST /api/uploads` takes files as `multipart/form-data` and keeps them by their content's hash: 201 `{ files: UploadedFile[] }` in their order.
 * `GET /api/files/{sha256}/{name}` serves them to the same caller. A message whose part has such a `url` takes the bytes over (`Media.store`);
 * an upload that no message takes is removed after `uploadTtlMs`, at most twice that.
 * Throws `content-type-not-supported` (TYPE_MISMATCH, TYPE_NOT_ALLOWED), `too-large`, `limit-reached` (UPLOADS_FULL), `invalid-params` (FILENAME).
 */
export function createUploadEndpoints(options: UploadsOptions): readonly Endpoint[] {
  const { blobs, waiting, limits, now } = options;
  let swept = Number.NEGATIVE_INFINITY;

  /** Removes uploads whose time is over. */
  const sweep = async (): Promise<void> => {
    if (now() - swept < SWEEP_MS) return;
    swept = now();
    for await (const place of waiting.over()) await blobs.release(place);
  };

  const keep = async (principal: Principal, part: MultipartPart): Promise<UploadedFile> => {
    const name = part.filename ?? "";
    if (isTraversal(name))
      throw new IasError("invalid-params", `The file name ${JSON.stringify(name.slice(0, 100))} leads out of its folder; send the name alone.`, {
        reason: "FILENAME",
      });
    const filename = cleanFilename(name);
    const { first, all } = await beginningOf(part.body);
    const mediaType = agreeType(part.contentType, first, filename);
    if (!options.types.some((type) => admits(type, mediaType))) {
      throw new IasError("content-type-not-supported", `Files of type ${mediaType} are not taken (${filename}); taken are ${options.types.join(", ")}.`, {
        reason: "TYPE_NOT_ALLOWED",
      });
    }
    const place = waiting.place(principal);
    await waiting.open(place);
    using received = waiting.receive(principal);
    const blob = await blobs.put(place, within(all, { filename, free: () => waiting.free(principal), received, limits }));
    await waiting.add(place, blob);
    return { sha256: blob.sha256, size: blob.size, mediaType, filename, url: toFileUrl(blob.sha256, filename) };
  };

  const take = async (request: RouteRequest, principal: Principal): Promise<readonly UploadedFile[]> => {
    const boundary = boundaryOf(request.header("content-type"));
    if (boundary === undefined) {
      throw new IasError("content-type-not-supported", "Uploads are multipart/form-data with a boundary, as a browser sends a FormData.", {
        reason: "NOT_MULTIPART",
      });
    }
    await sweep();
    const source = request.chunks[Symbol.asyncIterator]();
    try {
      const files: UploadedFile[] = [];
      // Without `return`, so that a refusal does not close the connection under the answer.
      const chunks = { [Symbol.asyncIterator]: () => ({ next: () => source.next() }) };
      for await (const part of readMultipart(chunks, { boundary, maxParts: limits.maxUploadFiles })) {
        if (part.filename === undefined) {
          throw new IasError("invalid-request", `The field ${JSON.stringify(part.name.slice(0, 100))} is no file; send files only.`, { reason: "NOT_A_FILE" });
        }
        files.push(await keep(principal, part));
      }
      if (files.length === 0) throw new IasError("invalid-request", "The body has no file.", { reason: "NOT_A_FILE" });
      return files;
    } catch (error) {
      await drain(source, limits.maxUploadBytes);
      throw request.signal.aborted ? new IasError("aborted", "The upload was cut off.", { cause: error }) : error;
    }
  };

  const serve = async (
    request: RouteRequest,
    principal: Principal,
    { sha256, name }: { readonly sha256: string; readonly name: string },
  ): Promise<RouteReply> => {
    const found = /[/\\]/.test(name) ? undefined : await find(principal, sha256);
    if (found === undefined) {
      throw new IasError("not-found", "You have no such file here; uploads that no message used are removed after a while.", { reason: "BLOB_GONE" });
    }
    const { owner, size } = found;
    const open = (start: number, end: number): ReturnType<BlobStore["read"]> => blobs.read(owner, sha256, { start, end });
    const mediaType = servedType(await firstBytes(await open(0, Math.min(size, SNIFF_BYTES))), name);
    const served = { size, shown: { mediaType, filename: name }, lifeMs: limits.fileUrlMs, etag: `"${sha256}"`, embeddable: "same-origin" as const, open };
    return { kind: "whole", ...(await serveContent(request, served)) };
  };

  const find = async (principal: Principal, sha256: string): Promise<{ readonly owner: StreamKey; readonly size: number } | undefined> => {
    const { tenant, user } = principal;
    for (const agent of [uploadOwner(principal).agent, ...options.agents()]) {
      const owner = { tenant, user, agent, task: "" };
      const size = await blobs.size(owner, sha256);
      if (size !== undefined) return { owner, size };
    }
    return undefined;
  };

  return [
    defineEndpoint({
      method: "POST",
      path: "/api/uploads",
      tag: "Files",
      summary: "Uploads files, as multipart/form-data",
      about: [
        "Every part is a file; the name of its field does not matter. Types are those of `uploadTypes` of `GET /api/session`, and what is claimed must fit the first bytes.",
        "A message whose part is `{ url, mediaType, filename }` takes a file over; one that no message takes is removed after a day or two (`uploadTtlMs`).",
      ].join(" "),
      takes: {
        mediaType: "multipart/form-data",
        schema: { type: "object", additionalProperties: { type: "array", items: { type: "string", format: "binary" } } },
      },
      reply: uploadsSchema,
      status: 201,
      handle: async ({ raw, principal }) => ({ body: { files: await take(raw, principal) } }),
    }),
    defineRawEndpoint({
      method: "GET",
      path: "/api/files/{sha256}/{name}",
      tag: "Files",
      summary: "A file of the caller: uploaded, sent to an agent, or made by one",
      about: "With ranges. The type is that of the content; what could run in a page is offered for saving only.",
      reply: { mediaType: "application/octet-stream", about: "The file" },
      handle: ({ raw, principal, params }) => serve(raw, principal, params),
    }),
  ];
}

function admits(type: string, mediaType: string): boolean {
  return type === "*/*" || type === mediaType || (type.endsWith("/*") && mediaType.startsWith(type.slice(0, -1)));
}

/** Enough of a content to tell its type, and all of it. */
async function beginningOf(body: AsyncIterable<Uint8Array>): Promise<{ readonly first: Uint8Array; readonly all: AsyncIterable<Uint8Array> }> {
  const rest = body[Symbol.asyncIterator]();
  const pieces: Uint8Array[] = [];
  let size = 0;
  while (size < SNIFF_BYTES) {
    const next = await rest.next();
    if (next.done === true) break;
    pieces.push(next.value);
    size += next.value.byteLength;
  }
  const first = Buffer.concat(pieces);
  async function* all(): AsyncGenerator<Uint8Array, void, undefined> {
    if (first.byteLength > 0) yield first;
    for (let next = await rest.next(); next.done !== true; next = await rest.next()) yield next.value;
  }
  return { first: first.subarray(0, SNIFF_BYTES), all: all() };
}

async function firstBytes(content: AsyncIterable<Uint8Array> | undefined): Promise<Uint8Array> {
  const pieces: Uint8Array[] = [];
  for await (const piece of content ?? []) pieces.push(piece);
  return Buffer.concat(pieces);
}

/** Reads what is still sent, up to `maxBytes`: a browser that cannot send to the end does not look at the answer. */
async function drain(source: AsyncIterator<Uint8Array>, maxBytes: number): Promise<void> {
  try {
    for (let left = maxBytes; left > 0;) {
      const next = await source.next();
      if (next.done === true) return;
      left -= next.value.byteLength;
    }
    await source.return?.();
  } catch {
    // The sender is gone: nobody waits for an answer.
  }
}

/** The content, until it passes what one file may have, or what the caller may have waiting. */
async function* within(
  content: AsyncIterable<Uint8Array>,
  {
    filename,
    free,
    received,
    limits,
  }: { readonly filename: string; readonly free: () => Promise<number>; readonly received: Receiving; readonly limits: UploadsOptions["limits"] },
): AsyncGenerator<Uint8Array, void, undefined> {
  let size = 0;
  for await (const chunk of content) {
    size += chunk.byteLength;
    if (size > limits.maxUploadBytes)
      throw new IasError("too-large", `${filename} is larger than ${limits.maxUploadBytes} bytes (maxUploadBytes).`, { reason: "UPLOAD_TOO_LARGE" });
    // Asked anew for each chunk: uploads side by side end one after the other.
    if (received.count(chunk.byteLength) > (await free())) {
      const message = `${filename} passes the ${limits.maxWaitingUploadBytes} bytes of uploads that may wait for a message (maxWaitingUploadBytes); send some first.`;
      throw new IasError("limit-reached", message, { reason: "UPLOADS_FULL", retryable: true });
    }
    yield chunk;
  }
}
