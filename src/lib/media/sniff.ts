import { isUtf8 } from "node:buffer";
import { IasError } from "../model/errors.ts";

/** How many first bytes are enough to tell a type. */
export const SNIFF_BYTES = 4096;

type Sign = readonly [type: string, at: number, hex: string];

/** First bytes that tell a type, in hexadecimal (`.` is any digit). */
const SIGNS: readonly Sign[] = [
  ["image/png", 0, "89504e470d0a1a0a"],
  ["image/jpeg", 0, "ffd8ff"],
  ["image/gif", 0, "474946383761"],
  ["image/gif", 0, "474946383961"],
  ["image/webp", 0, "52494646........57454250"],
  ["audio/wav", 0, "52494646........57415645"],
  ["image/tiff", 0, "49492a00"],
  ["image/tiff", 0, "4d4d002a"],
  ["image/avif", 4, "6674797061766966"],
  ["image/heic", 4, "6674797068656963"],
  ["audio/mp4", 4, "667479704d344120"],
  ["video/quicktime", 4, "6674797071742020"],
  ["video/mp4", 4, "66747970"],
  ["video/webm", 0, "1a45dfa3"],
  ["audio/ogg", 0, "4f676753"],
  ["audio/flac", 0, "664c6143"],
  ["audio/mpeg", 0, "494433"],
  ["audio/mpeg", 0, "fffb"],
  ["audio/mpeg", 0, "fff3"],
  ["audio/mpeg", 0, "fff2"],
  ["audio/aac", 0, "fff1"],
  ["audio/aac", 0, "fff9"],
  ["application/pdf", 0, "255044462d"],
  ["application/zip", 0, "504b0304"],
  ["application/zip", 0, "504b0506"],
  ["application/gzip", 0, "1f8b08"],
  ["application/x-7z-compressed", 0, "377abcaf271c"],
  ["application/wasm", 0, "0061736d"],
  ["application/x-executable", 0, "7f454c46"],
  ["application/x-msdownload", 0, "4d5a9000"],
];

/** What a container is by the ending of its name, where it is served. */
const CONTAINED: Readonly<Record<string, string>> = {
  docx: "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  xlsx: "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  pptx: "application/vnd.openxmlformats-officedocument.presentationml.presentation",
  epub: "application/epub+zip",
  mov: "video/quicktime",
  weba: "audio/webm",
  opus: "audio/opus",
};

/** Other names of the same type. */
const ALIASES: Readonly<Record<string, string>> = {
  "image/jpg": "image/jpeg",
  "image/pjpeg": "image/jpeg",
  "image/x-png": "image/png",
  "image/apng": "image/png",
  "image/heif": "image/heic",
  "audio/x-wav": "audio/wav",
  "audio/wave": "audio/wav",
  "audio/vnd.wave": "audio/wav",
  "audio/mp3": "audio/mpeg",
  "audio/x-flac": "audio/flac",
  "audio/x-m4a": "audio/mp4",
  "audio/m4a": "audio/mp4",
  "application/x-pdf": "application/pdf",
  "application/x-zip-compressed": "application/zip",
  "application/x-gzip": "application/gzip",
};

/** Types that share a container, which is all that first bytes show. */
const CONTAINERS: Readonly<Record<string, RegExp>> = {
  "video/mp4": /^(?:video\/(?:mp4|quicktime|3gpp|x-m4v)|audio\/(?:mp4|3gpp)|image\/(?:avif|heic))$/,
  "audio/mp4": /^(?:video|audio)\/mp4$/,
  "video/webm": /^(?:(?:video|audio)\/(?:webm|x-matroska|matroska))$/,
  "audio/ogg": /^(?:audio\/(?:ogg|opus|vorbis)|video\/ogg|application\/ogg)$/,
  "application/zip": /^application\/(?:vnd\.openxmlformats-officedocument\.[\w.]+|vnd\.oasis\.opendocument\.[\w.]+|epub\+zip)$/,
};

/** Types whose content is text, beside `text/*`. */
const TEXTUAL =
  /^(?:text\/.+|application\/(?:json|x-ndjson|jsonl?|xml|yaml|x-yaml|toml|javascript|x-javascript|typescript|x-sh|sql|rtf|[\w.-]+\+(?:json|xml|yaml))|image\/svg\+xml)$/;

/** Types of text files by their ending, where nobody claims one. */
const ENDINGS: Readonly<Record<string, string>> = {
  md: "text/markdown",
  csv: "text/csv",
  html: "text/html",
  htm: "text/html",
  svg: "image/svg+xml",
  json: "application/json",
  xml: "application/xml",
  js: "text/javascript",
  css: "text/css",
};

/** The type that the first bytes (at most `SNIFF_BYTES`) of a content tell: by its signature, `text/plain` for text, undefined for bytes that tell nothing. */
export function sniffType(bytes: Uint8Array): string | undefined {
  const hex = Buffer.from(bytes.subarray(0, 64)).toString("hex");
  const sign = SIGNS.find(([, at, wanted]) => new RegExp(`^${".".repeat(at * 2)}${wanted}`).test(hex));
  if (sign !== undefined) return sign[0];
  return isText(bytes.subarray(0, SNIFF_BYTES)) ? "text/plain" : undefined;
}

/**
 * The type of a file: what is claimed for it, if its first bytes do not speak against that; what they tell, if nothing is claimed.
 * @throws IasError `content-type-not-supported`, reason TYPE_MISMATCH.
 */
export function agreeType(claimed: string | undefined, bytes: Uint8Array, filename: string): string {
  const bare = (claimed?.split(";")[0] ?? "").trim().toLowerCase();
  const named = ALIASES[bare] ?? bare;
  if (named !== "" && !/^[\w!#$&^.+-]{1,100}\/[\w!#$&^.+-]{1,100}$/.test(named)) {
    throw new IasError(
      "content-type-not-supported",
      `The file ${JSON.stringify(filename)} is said to be of a type that is none: ${JSON.stringify(named.slice(0, 100))}.`,
      {
        reason: "TYPE_MISMATCH",
      },
    );
  }
  const sniffed = sniffType(bytes);
  if (named === "" || named === "application/octet-stream") return sniffed === "text/plain" ? ofEnding(filename) : (sniffed ?? "application/octet-stream");
  const fits =
    sniffed === "text/plain" ? isTextual(named) || !isKnown(named) : sniffed === undefined ? !isKnown(named) && !isTextual(named) : named === sniffed;
  if (fits || (sniffed !== undefined && CONTAINERS[sniffed]?.test(named) === true)) return named;
  throw new IasError(
    "content-type-not-supported",
    `The file ${JSON.stringify(filename)} is said to be ${named.slice(0, 100)}, but its first bytes are ${sniffed === undefined ? "not" : `of ${sniffed}`}. Send it with its real type.`,
    { reason: "TYPE_MISMATCH", details: { claimed: named.slice(0, 100), found: sniffed ?? "unknown" } },
  );
}

/** The type under which a stored file is served, from its content and name. */
export function servedType(bytes: Uint8Array, filename: string): string {
  const sniffed = sniffType(bytes);
  if (sniffed === "text/plain") return ofEnding(filename);
  const contained = CONTAINED[endingOf(filename)];
  if (sniffed === undefined) return "application/octet-stream";
  return contained !== undefined && CONTAINERS[sniffed]?.test(contained) === true ? contained : sniffed;
}

function ofEnding(filename: string): string {
  return ENDINGS[endingOf(filename)] ?? "text/plain";
}

function endingOf(filename: string): string {
  return /\.(\w+)$/.exec(filename)?.[1]?.toLowerCase() ?? "";
}

function isTextual(type: string): boolean {
  return TEXTUAL.test(type);
}

/** Types that their first bytes would have told. */
function isKnown(type: string): boolean {
  return SIGNS.some(([known]) => known === type) || Object.values(CONTAINERS).some((types) => types.test(type));
}

/** UTF-8 without control characters that no text has. A character may be cut off at the end. */
function isText(bytes: Uint8Array): boolean {
  if (bytes.some((byte) => byte < 9 || (byte > 13 && byte < 32 && byte !== 27) || byte === 11)) return false;
  return [0, 1, 2, 3].some((cut) => bytes.length >= cut && isUtf8(bytes.subarray(0, bytes.length - cut)));
}
