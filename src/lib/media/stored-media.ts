import type { Records } from "../log/records.ts";
import type { Message, Part, StreamResponse, Task } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import type { StreamKey } from "../model/key.ts";
import type { Limits } from "../model/limits.ts";
import { base64Size, decodeBase64 } from "./base64.ts";
import type { Page } from "../net/page.ts";
import { createBlobPage } from "./blob-page.ts";
import type { BlobStore } from "./blobs.ts";
import { findContent, fitTask } from "./fit-task.ts";
import { mapParts } from "./map-parts.ts";
import type { Media } from "./media.ts";
import { isReference, readReference, toReference } from "./reference.ts";
import { servedType, SNIFF_BYTES } from "./sniff.ts";
import { BLOB_PATH, type ContentPlace, createSignedUrls, loadUrlKey } from "./signed-urls.ts";
import { readFileUrl, uploadOwner, type WaitingUploads } from "./uploads.ts";

/** What media need beside a blob store. */
export interface MediaOptions {
  /** Keeps the key of signed URLs. */
  readonly records: Records;
  readonly limits: Pick<Limits, "maxRawPartBytes" | "maxRawOutBytes" | "maxFrameBytes" | "maxInlineBytes" | "maxLoadBytes" | "fileUrlMs">;
  /** The server's own URL without a trailing slash: `PUBLIC_URL`, else where it listens. */
  readonly origin: () => string;
  /** The guarded fetch (SEMANTICS 24). */
  readonly fetch: (url: string, init?: RequestInit) => Promise<Response>;
  /** The Task as it stands, for URLs of contents. */
  readonly task: (key: StreamKey) => Promise<Task | undefined>;
  readonly now: () => number;
  /** Hears which of its uploads a caller has sent. */
  readonly uploads?: Pick<WaitingUploads, "taken">;
}

/** Media over a blob store, and the page of its signed URLs, which the gateway asks. */
export interface StoredMedia extends Media {
  readonly page: Page;
}

/** Makes the media of a server. The blob store stays the caller's to dispose. */
export async function createMedia(blobs: BlobStore, options: MediaOptions): Promise<StoredMedia> {
  const { limits, now, origin } = options;
  const { maxLoadBytes } = limits;
  const urls = createSignedUrls({ key: await loadUrlKey(options.records), origin, now, urlTtlMs: limits.fileUrlMs });
  const page = createBlobPage({ blobs, urls, now, content: async (key, place, size) => contentAt(await options.task(key), place, size) });

  async function storePart(key: StreamKey, part: Part, field: string, from: "caller" | "agent"): Promise<Part> {
    if (part.url !== undefined && isReference(part.url)) {
      const known = readReference(part);
      if (from === "agent" && known !== undefined && (await blobs.refer(key, known.sha256))) return part;
      throw new IasError(
        "invalid-params",
        `${field}.url has the scheme ias-blob:, which is the server's own; send the content as raw, or a URL that can be fetched.`,
        {
          reason: "URL_SCHEME",
          fields: [{ field: `${field}.url`, description: "The scheme ias-blob: is reserved." }],
        },
      );
    }
    const file = from === "caller" && part.url !== undefined ? readFileUrl(part.url, origin()) : undefined;
    if (file !== undefined) return takeUpload(key, part, file, field);
    if (part.raw === undefined) return part;
    const bytes = decodeBase64(part.raw, `${field}.raw`);
    const { raw: _, ...rest } = part;
    if (bytes.byteLength <= limits.maxRawPartBytes) return { raw: bytes.toString("base64"), ...rest };
    const blob = await blobs.put(key, bytes);
    return { url: toReference(blob), mediaType: part.mediaType ?? "application/octet-stream", ...rest };
  }

  /** The caller's own upload, or a file that an agent already has of the same caller, becomes the task's. */
  async function takeUpload(
    key: StreamKey,
    part: Part,
    { sha256, filename }: { readonly sha256: string; readonly filename: string },
    field: string,
  ): Promise<Part> {
    const content = (await blobs.refer(key, sha256)) ? undefined : await blobs.read(uploadOwner(key), sha256);
    if (content !== undefined) await blobs.put(key, content);
    await options.uploads?.taken(key, sha256);
    const size = await blobs.size(key, sha256);
    if (size === undefined) {
      throw new IasError("not-found", `${field}.url names a file that you did not upload here, or that is not kept any more; upload it again.`, {
        reason: "BLOB_GONE",
        fields: [{ field: `${field}.url`, description: "There is no such file." }],
      });
    }
    const mediaType = part.mediaType ?? servedType(await collect((await blobs.read(key, sha256, { end: SNIFF_BYTES })) ?? [], SNIFF_BYTES), filename);
    return { ...part, url: toReference({ sha256, size }), mediaType, filename: part.filename ?? filename };
  }

  async function loadStored(key: StreamKey, sha256: string, size: number): Promise<Uint8Array> {
    checkSize(size, maxLoadBytes);
    const content = await blobs.read(key, sha256);
    if (content === undefined) throw gone();
    return collect(content, maxLoadBytes);
  }

  async function fetchPart(key: StreamKey, url: string): Promise<Uint8Array> {
    // A URL that we signed comes back: the content is here, and loopback may be closed to the guarded fetch.
    if (url.startsWith(`${origin()}${BLOB_PATH}`)) {
      const { resource } = urls.fromUrl(new URL(url));
      if (resource.kind === "blob") return loadStored({ ...resource.owner, task: key.task }, resource.sha256, resource.size);
      const content = contentAt(await options.task(resource.key), resource.place, resource.size);
      if (content === undefined) throw gone();
      return content;
    }
    const response = await options.fetch(url);
    if (!response.ok) {
      await response.body?.cancel();
      throw new IasError("remote-failed", `The file's server answered ${response.status}.`, { retryable: response.status >= 500, reason: "FILE_NOT_FETCHED" });
    }
    return response.body === null ? new Uint8Array() : collect(response.body, maxLoadBytes);
  }

  return {
    page,
    async store(key, parts, from = "caller") {
      const stored: Part[] = [];
      for (const [index, part] of parts.entries()) stored.push(await storePart(key, part, `${from === "caller" ? "message." : ""}parts.${index}`, from));
      return stored;
    },
    async load(key, part) {
      if (part.text !== undefined) return Buffer.from(part.text);
      if (part.raw !== undefined) {
        checkSize(base64Size(part.raw), maxLoadBytes);
        return decodeBase64(part.raw, "part.raw");
      }
      if (part.url === undefined) return Buffer.from(JSON.stringify(part.data ?? null));
      const known = readReference(part);
      return known === undefined ? fetchPart(key, part.url) : loadStored(key, known.sha256, known.size);
    },
    async present(key, json) {
      const value = JSON.parse(json) as StreamResponse | Task | Message;
      let room = ("status" in value || "parts" in value ? limits.maxInlineBytes : limits.maxFrameBytes) - Buffer.byteLength(json) - FRAME_RESERVE;
      const inline = new Map<string, string>();
      const wanted: Part[] = [];
      mapParts(value, (part) => (wanted.push(part), part));
      for (const part of wanted) {
        const blob = readReference(part);
        const cost = blob === undefined ? 0 : Math.ceil(blob.size / 3) * 4;
        if (blob === undefined || blob.size > limits.maxRawOutBytes || cost > room) continue;
        const raw = inline.get(blob.sha256) ?? (await readRaw(key, blob.sha256));
        if (raw === undefined) continue;
        room -= cost;
        inline.set(blob.sha256, raw);
      }
      return JSON.stringify(mapParts(value, (part) => presentPart(key, part, inline)));
    },
    fitTask: async (key, task, limit) => fitTask(task, limit, (place, size, shown) => urls.toUrl({ kind: "content", key, place, size }, shown)),
  };

  async function readRaw(key: StreamKey, sha256: string): Promise<string | undefined> {
    const content = await blobs.read(key, sha256);
    return content && Buffer.from(await collect(content, limits.maxRawOutBytes)).toString("base64");
  }

  function presentPart(key: StreamKey, part: Part, inline: ReadonlyMap<string, string>): Part {
    const blob = readReference(part);
    if (blob === undefined) return part;
    const { url: _, ...rest } = part;
    const raw = inline.get(blob.sha256);
    if (raw !== undefined) return { raw, ...rest };
    const { mediaType, filename } = part;
    const shown = { ...(mediaType !== undefined && { mediaType }), ...(filename !== undefined && { filename }) };
    return { url: urls.toUrl({ kind: "blob", owner: key, sha256: blob.sha256, size: blob.size }, shown), ...rest };
  }
}

/** For what an edge adds around a frame: the JSON-RPC envelope, the cursor. */
const FRAME_RESERVE = 1024;

function contentAt(task: Task | undefined, place: ContentPlace, size: number): Uint8Array | undefined {
  return task && findContent(task, place, size)?.bytes;
}

function gone(): IasError {
  return new IasError("not-found", "The content of this part is not kept any more.", { reason: "BLOB_GONE" });
}

function checkSize(size: number, maxBytes: number): void {
  if (size > maxBytes) throw new IasError("too-large", `The content has ${size} bytes; maxLoadBytes is ${maxBytes}.`, { reason: "PART_TOO_LARGE" });
}

async function collect(content: AsyncIterable<Uint8Array> | Iterable<Uint8Array>, maxBytes: number): Promise<Uint8Array> {
  const chunks: Uint8Array[] = [];
  let size = 0;
  for await (const chunk of content) {
    size += chunk.byteLength;
    checkSize(size, maxBytes);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
