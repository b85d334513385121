import type { Principal, StreamKey } from "../model/key.ts";
import type { BlobOwner } from "./blobs.ts";

/** What callers have uploaded and not sent yet, so that it can be bounded and removed. Records keep it: it is the same in every gateway, and after a restart. */
export interface WaitingUploads {
  /** Under which task of the caller's uploads a file is kept now: those of one span of time are removed together. */
  place(caller: Uploader): StreamKey;
  /** What may be uploaded beside what waits and what is on its way at this moment, bytes. */
  free(caller: Uploader): Promise<number>;
  /** Counts bytes that are on their way until it is disposed. */
  receive(caller: Uploader): Receiving;
  /** There is something at the place; to be said before its first byte is kept, so that what a crash leaves behind is found. */
  open(place: StreamKey): Promise<void>;
  /** A file is kept at `place`. The same content again counts once. */
  add(place: StreamKey, file: { readonly sha256: string; readonly size: number }): Promise<void>;
  /** A message has taken a file over: it waits no more. Nothing happens for one that does not wait. */
  taken(caller: Uploader, sha256: string): Promise<void>;
  /** The places whose time is over by a whole span, one after the other; they are forgotten when the next is asked for. */
  over(): AsyncIterable<StreamKey>;
}

/** Whose uploads. */
export type Uploader = Pick<Principal, "tenant" | "user">;

/** A file that is being received. */
export interface Receiving extends Disposable {
  /** So many bytes more have come; returns what all files of the caller that are on their way have, this one among them. */
  count(bytes: number): number;
}

/** The agent under which uploads stand until a message takes them over: no agent's id begins with a dot. */
const UPLOADS = ".uploads";

/** Whose bytes a caller's uploads are. */
export function uploadOwner({ tenant, user }: Uploader): BlobOwner {
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
