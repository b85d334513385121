import type { Principal } from "../model/key.ts";
import type { BlobOwner } from "./blobs.ts";

/** The agent under which uploads stand until a message takes them over: no agent's id begins with a dot. */
const UPLOADS = ".uploads";

/** Whose bytes a caller's uploads are. */
export function uploadOwner({ tenant, user }: Principal): BlobOwner {
  return { tenant, user, agent: UPLOADS };
}

/** The address of an uploaded file, without the server's own: for the same caller only. */
export function toFileUrl(sha256: string, filename: string): string {
  return `/api/files/${sha256}/${encodeURIComponent(filename)}`;
}

/** What the address of an uploaded file names, with or without `origin` before it; undefined for any other. */
export function readFileUrl(url: string, origin: string): { readonly sha256: string; readonly filename: string } | undefined {
  const path = origin !== "" && url.startsWith(`${origin}/`) ? url.slice(origin.length) : url;
  const [, sha256 = "", encoded = ""] = /^\/api\/files\/([0-9a-f]{64})\/([^/?#]{1,1000})$/.exec(path) ?? [];
  if (sha256 === "") return undefined;
  try {
    const filename = decodeURIComponent(encoded);
    return /[/\\]/.test(filename) ? undefined : { sha256, filename };
  } catch {
    return undefined;
  }
}
