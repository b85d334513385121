import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import type { Records } from "../log/records.ts";
import { IasError } from "../model/errors.ts";
import { joinKey, type StreamKey } from "../model/key.ts";
import { type BlobOwner, isSha256 } from "./blobs.ts";

/** What a signed URL gives: stored bytes, or a content of a task's Task as it stood (its first `size` bytes). */
export type Resource =
  | { readonly kind: "blob"; readonly owner: BlobOwner; readonly sha256: string; readonly size: number }
  | { readonly kind: "content"; readonly key: StreamKey; readonly place: ContentPlace; readonly size: number };

/** Where in a Task a content stands: part `part` of an artifact or of a message, or its first `upTo` parts as a JSON array. */
export interface ContentPlace {
  readonly in: "artifact" | "message";
  readonly id: string;
  readonly part?: number;
  readonly upTo?: number;
}

/** How a resource is shown. */
export interface Shown {
  readonly mediaType?: string;
  readonly filename?: string;
}

/** Makes and reads URLs that work without further credentials until they expire. Who has one may read what it names, and nothing else. */
export interface SignedUrls {
  toUrl(resource: Resource, shown: Shown): string;
  /** What a URL names. Throws `not-found` for a path that is none of these, `forbidden` with reason URL_SIGNATURE or URL_EXPIRED. */
  fromUrl(url: URL): { readonly resource: Resource; readonly shown: Shown; readonly expiresAt: number };
}

/** What signed URLs are made of. */
export interface SignedUrlsOptions {
  /** From `loadUrlKey`. */
  readonly key: Uint8Array;
  /** The server's own URL without a trailing slash, asked for at each URL. */
  readonly origin: () => string;
  /** How long a URL works at least, ms; it is rounded up to a whole one, so that readers of the same moment see the same URL. */
  readonly urlTtlMs: number;
  readonly now: () => number;
}

/** Path prefix of signed URLs. */
export const BLOB_PATH = "/api/blobs/";

/** The signing key of a store: made once, kept in its records. */
export async function loadUrlKey(records: Records): Promise<Uint8Array> {
  const key = joinKey("server", "blob-url-key");
  const found = await records.get(key);
  if (found !== undefined) return Buffer.from(found.value, "base64");
  const made = randomBytes(32).toString("base64");
  const put = await records.put({ key, value: made, ifVersion: 0 });
  return Buffer.from(put.ok ? made : (put.found?.value ?? made), "base64");
}

/**
 * Makes signed URLs: `/api/blobs/<sha256>` and `/api/blobs/content`, all else in the query. (A tenant called `..` could not stand in a path.)
 * The signature covers the decoded values, so that clients may write the same URL in another encoding.
 */
export function createSignedUrls(options: SignedUrlsOptions): SignedUrls {
  const { key, origin, now, urlTtlMs } = options;
  const sign = (name: string, query: URLSearchParams): Buffer =>
    createHmac("sha256", key)
      .update(JSON.stringify([name, ...FIELDS.map((field) => query.get(field))]))
      .digest();

  return {
    toUrl(resource, { mediaType, filename }) {
      const name = resource.kind === "blob" ? resource.sha256 : "content";
      const query = new URLSearchParams({ of: ownerText(resource), size: String(resource.size) });
      if (mediaType !== undefined) query.set("type", mediaType);
      if (filename !== undefined) query.set("name", filename);
      query.set("exp", String((Math.floor(now() / urlTtlMs) + 2) * urlTtlMs));
      query.set("sig", sign(name, query).toString("base64url"));
      return `${origin()}${BLOB_PATH}${name}?${query.toString()}`;
    },
    fromUrl(url) {
      const name = url.pathname.slice(BLOB_PATH.length);
      const query = url.searchParams;
      const resource = url.pathname.startsWith(BLOB_PATH) ? readResource(name, query) : undefined;
      if (resource === undefined) throw new IasError("not-found", "There is nothing at this address.");
      const given = Buffer.from(query.get("sig") ?? "", "base64url");
      const wanted = sign(name, query);
      if (given.length !== wanted.length || !timingSafeEqual(given, wanted)) {
        throw new IasError("forbidden", "The address is not signed by this server, or was changed.", { reason: "URL_SIGNATURE" });
      }
      const expiresAt = Number(query.get("exp"));
      if (!(expiresAt > now())) throw new IasError("forbidden", "The address has expired; get the task again for a fresh one.", { reason: "URL_EXPIRED" });
      const [mediaType, filename] = [query.get("type"), query.get("name")];
      return { resource, shown: { ...(mediaType !== null && { mediaType }), ...(filename !== null && { filename }) }, expiresAt };
    },
  };
}

const FIELDS = ["of", "size", "type", "name", "exp"] as const;

function ownerText(resource: Resource): string {
  if (resource.kind === "blob") return joinKey(resource.owner.tenant, resource.owner.user, resource.owner.agent);
  const { key, place } = resource;
  return joinKey(key.tenant, key.user, key.agent, key.task, place.in, place.id, place.upTo === undefined ? String(place.part ?? 0) : `0-${place.upTo}`);
}

function readResource(name: string, query: URLSearchParams): Resource | undefined {
  const size = Number(query.get("size"));
  const parts = readParts(query.get("of") ?? "");
  const [tenant = "", user = "", agent = "", task = "", where, id = "", part = ""] = parts;
  if (!Number.isSafeInteger(size) || size < 0) return undefined;
  if (isSha256(name) && parts.length === 3) return { kind: "blob", owner: { tenant, user, agent }, sha256: name, size };
  if (name !== "content" || parts.length !== 7 || (where !== "artifact" && where !== "message") || !/^(0-)?\d{1,9}$/.test(part)) return undefined;
  return {
    kind: "content",
    key: { tenant, user, agent, task },
    place: { in: where, id, ...(part.startsWith("0-") ? { upTo: Number(part.slice(2)) } : { part: Number(part) }) },
    size,
  };
}

function readParts(text: string): readonly string[] {
  try {
    return text.split("/").map(decodeURIComponent);
  } catch {
    return [];
  }
}
