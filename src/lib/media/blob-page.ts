import { IasError } from "../model/errors.ts";
import type { StreamKey } from "../model/key.ts";
import type { BlobStore } from "./blobs.ts";
import { cleanFilename } from "../net/filename.ts";
import { methodNotAllowed, type Page, type PageReply } from "../net/page.ts";
import { BLOB_PATH, type ContentPlace, type Resource, type Shown, type SignedUrls } from "./signed-urls.ts";

/** What signed URLs lead to. */
export interface BlobHandlerOptions {
  readonly blobs: BlobStore;
  readonly urls: Pick<SignedUrls, "fromUrl">;
  readonly now: () => number;
  /** A content of a Task as it was at `size` bytes. */
  readonly content: (key: StreamKey, place: ContentPlace, size: number) => Promise<Uint8Array | undefined>;
}

/** Types that a browser shows without running anything; all else is offered for saving. SVG is an image that runs scripts. */
const SHOWN_INLINE = /^(?:image\/(?!svg)[\w.+-]+|audio\/[\w.+-]+|video\/[\w.+-]+|text\/plain)$/i;

/** Content to serve, and how. */
export interface Served {
  readonly size: number;
  readonly shown: Shown;
  /** How long a browser may keep it, ms. */
  readonly lifeMs: number;
  /** A name that changes with the content; absent for content that may change. */
  readonly etag?: string;
  /** Which pages may embed it: any (the default), or those of our own origin. */
  readonly embeddable?: "cross-origin" | "same-origin";
  /** Its bytes from `start` to before `end`. Undefined: they are gone. */
  readonly open: (start: number, end: number) => Promise<AsyncIterable<Uint8Array> | undefined>;
}

/** Answers GET and HEAD of content that somebody else made: ranges, conditions, and headers with which nothing of it runs in our origin. Throws `not-found` (BLOB_GONE). */
export async function serveContent(
  { method, header }: { readonly method: string; header(name: string): string | undefined },
  { size, shown, lifeMs, etag, embeddable = "cross-origin", open }: Served,
): Promise<PageReply> {
  if (method !== "GET" && method !== "HEAD") return methodNotAllowed("GET, HEAD");
  const common = { ...headersOf(shown, lifeMs, etag), "cross-origin-resource-policy": embeddable };
  if (etag !== undefined && (header("if-none-match") ?? "").includes(etag)) return { status: 304, headers: common, body: "" };
  const ifRange = header("if-range");
  const range = readRange(ifRange === undefined || ifRange === etag ? header("range") : undefined, size);
  if (range === "unsatisfiable") return { status: 416, headers: { ...common, "content-range": `bytes */${size}` }, body: "" };
  const { start, end } = range ?? { start: 0, end: size };
  // A file that is opened and not read would stay open, so HEAD asks for nothing of it.
  const body = await open(start, method === "HEAD" ? start : end);
  if (body === undefined) throw new IasError("not-found", "The content is not kept any more.", { reason: "BLOB_GONE" });
  return {
    status: range === undefined ? 200 : 206,
    headers: { ...common, "content-length": String(end - start), ...(range && { "content-range": `bytes ${start}-${end - 1}/${size}` }) },
    body,
  };
}

/** Answers GET and HEAD of signed URLs. Throws `not-found` and `forbidden`. The content is an agent's or a user's, so nothing of it may run in our origin. */
export function createBlobPage(options: BlobHandlerOptions): Page {
  const { blobs, urls, now } = options;

  async function open(resource: Resource, start: number, end: number): Promise<AsyncIterable<Uint8Array> | undefined> {
    if (resource.kind === "blob") return blobs.read(resource.owner, resource.sha256, { start, end });
    const bytes = await options.content(resource.key, resource.place, resource.size);
    return bytes && once(bytes.subarray(start, end));
  }

  return async ({ method, url, header }): Promise<PageReply | undefined> => {
    if (!url.pathname.startsWith(BLOB_PATH)) return undefined;
    const { resource, shown, expiresAt } = urls.fromUrl(url);
    const etag = resource.kind === "blob" ? { etag: `"${resource.sha256}"` } : {};
    return serveContent(
      { method, header },
      { size: resource.size, shown, lifeMs: expiresAt - now(), ...etag, open: (start, end) => open(resource, start, end) },
    );
  };
}

function headersOf({ mediaType, filename }: Shown, lifeMs: number, etag: string | undefined): Record<string, string> {
  const type = mediaType !== undefined && /^[\w.+-]+\/[\w.+-]+(?:;\s*charset=[\w-]+)?$/i.test(mediaType) ? mediaType : "application/octet-stream";
  const bare = type.split(";")[0] ?? "";
  return {
    "content-type": /^text\/plain$/i.test(type) ? "text/plain; charset=utf-8" : type,
    "content-disposition": `${SHOWN_INLINE.test(bare) ? "inline" : "attachment"}${filename === undefined ? "" : nameOf(filename)}`,
    "content-security-policy": "sandbox; default-src 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "accept-ranges": "bytes",
    "cache-control": `private, max-age=${Math.max(0, Math.floor(lifeMs / 1000))}${etag === undefined ? "" : ", immutable"}`,
    ...(etag !== undefined && { etag }),
  };
}

/** RFC 6266: a plain name for old clients and the real one in UTF-8; no path parts, no control characters. */
function nameOf(filename: string): string {
  const name = cleanFilename(filename);
  const plain = name.replace(/[^\w. -]/g, "_");
  return `; filename="${plain}"; filename*=UTF-8''${encodeURIComponent(name).replace(/['()*]/g, (char) => `%${char.charCodeAt(0).toString(16)}`)}`;
}

/** One range of RFC 9110, `end` exclusive; undefined for none, several or a form that is not ours to understand (then the whole is sent). */
function readRange(header: string | undefined, size: number): { readonly start: number; readonly end: number } | "unsatisfiable" | undefined {
  const match = /^bytes=(\d{0,15})-(\d{0,15})$/.exec(header ?? "");
  if (match === null || match[0] === "bytes=-") return undefined;
  const [, first = "", last = ""] = match;
  if (first === "") {
    const count = Math.min(Number(last), size);
    return count === 0 ? "unsatisfiable" : { start: size - count, end: size };
  }
  const start = Number(first);
  const end = last === "" ? size : Math.min(Number(last) + 1, size);
  if (last !== "" && Number(last) < start) return undefined;
  return start >= size ? "unsatisfiable" : { start, end };
}

async function* once(bytes: Uint8Array): AsyncGenerator<Uint8Array, void, undefined> {
  yield bytes;
}
