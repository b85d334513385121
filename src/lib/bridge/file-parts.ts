import type { Part } from "../model/a2a.ts";
import { decodeSegment } from "../model/key.ts";

/**
 * Parts whose files are uploads to this server, named under the host by which this request reached it: by their path alone, which is how a message takes an upload over. A
 * page knows the address that it uses, not the server's `PUBLIC_URL`.
 */
export function ownFiles(parts: readonly Part[], host: string | undefined): readonly Part[] {
  return parts.map((part) => {
    const url = part.url === undefined || !URL.canParse(part.url) ? undefined : new URL(part.url);
    return url !== undefined && url.host === host && url.pathname.startsWith("/api/files/") ? { ...part, url: url.pathname } : part;
  });
}

/** A file that a frontend names by URL, as a part: a `data:` URL becomes its bytes, any other stays an address. */
export function toFilePart(url: string, about: { readonly mediaType?: string | undefined; readonly filename?: string | undefined }): Part {
  const named = about.filename === undefined ? {} : { filename: about.filename };
  const data = /^data:([^,]*?)(;base64)?,/i.exec(url);
  if (data === null) return { url, ...(about.mediaType !== undefined && { mediaType: about.mediaType }), ...named };
  const content = url.slice(data[0].length);
  const mediaType = about.mediaType ?? (data[1] === undefined || data[1] === "" ? "text/plain" : data[1]);
  const raw = data[2] === undefined ? Buffer.from(decodeSegment(content)).toString("base64") : content;
  return { raw, mediaType, ...named };
}
