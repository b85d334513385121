import { Buffer } from "node:buffer";
import { IasError } from "../model/errors.ts";

/** One part of a `multipart/form-data` body. */
export interface MultipartPart {
  /** The form's field. */
  readonly name: string;
  /** As the sender wrote it, unsafe; absent for a plain field. */
  readonly filename?: string;
  /** The type that the sender claims. */
  readonly contentType?: string;
  /** The content as it arrives, once. What is not read is skipped when the next part is asked for. */
  readonly body: AsyncIterable<Uint8Array>;
}

/** Limits of a reader. */
export interface MultipartOptions {
  /** From `boundaryOf`. */
  readonly boundary: string;
  /** Most parts; default 100. */
  readonly maxParts?: number;
  /** Longest head of a part, bytes; default 16 KiB. */
  readonly maxHeadBytes?: number;
}

/** The boundary of a `multipart/form-data` content type, or undefined for other types (RFC 2046, 5.1.1). Other parameters, as some libraries add, say nothing. */
export function boundaryOf(contentType: string | undefined): string | undefined {
  const [type = "", parameters = ""] = /^\s*multipart\/form-data\s*((?:;.*)?)$/i.exec(contentType ?? "") ?? [];
  if (type === "" || !PARAMETERS.test(parameters)) return undefined;
  const boundaries = [...parameters.matchAll(PARAMETER)]
    .filter(([, name]) => name?.toLowerCase() === "boundary")
    .map(([, , quoted, plain]) => quoted ?? plain ?? "");
  const [boundary = ""] = boundaries;
  return boundaries.length === 1 && /^[\w'()+,./:=? -]{0,69}[\w'()+,./:=?-]$/.test(boundary) ? boundary : undefined;
}

/** One parameter of a content type, its value in quotes or plain. */
const PARAMETER = /;\s*([\w-]{1,40})=(?:"([^"\\]{0,100})"|([^\s";\\,]{1,100}))\s*/g;
const PARAMETERS = new RegExp(`^(?:${PARAMETER.source}){1,10}$`);

/**
 * The parts of a `multipart/form-data` body (RFC 7578) in their order, with as much memory as one chunk and one head. Strict: nothing before the first
 * boundary, no folded or repeated head lines, no transfer encoding, nothing but a line end after the last.
 * @throws IasError `invalid-request` for a body that is none or ends early, `too-large` past a limit.
 */
export async function* readMultipart(chunks: AsyncIterable<Uint8Array>, options: MultipartOptions): AsyncGenerator<MultipartPart, void, undefined> {
  const { boundary, maxParts = 100, maxHeadBytes = 16 * 1024 } = options;
  const delimiter = Buffer.from(`\r\n--${boundary}`, "latin1");
  const source = chunks[Symbol.asyncIterator]();
  // As if a line had ended before: the first boundary is then one like all others.
  let held: Buffer = Buffer.from("\r\n");

  const more = async (): Promise<void> => {
    const next = await source.next();
    if (next.done === true) throw broken("it ends before its last boundary: the upload was cut off, or the boundary is not the one of the Content-Type header");
    const chunk = Buffer.from(next.value.buffer, next.value.byteOffset, next.value.byteLength);
    held = held.length === 0 ? chunk : Buffer.concat([held, chunk]);
  };

  /** The first `count` bytes. */
  const take = async (count: number): Promise<Buffer> => {
    while (held.length < count) await more();
    const taken = held.subarray(0, count);
    held = held.subarray(count);
    return taken;
  };

  /** All up to the next boundary, which is taken too. */
  async function* content(): AsyncGenerator<Uint8Array, void, undefined> {
    for (;;) {
      const at = held.indexOf(delimiter);
      // What could be the beginning of a boundary stays until more is here.
      const sure = at === -1 ? held.length - delimiter.length + 1 : at;
      const piece = sure > 0 ? await take(sure) : undefined;
      if (at !== -1) held = held.subarray(delimiter.length);
      if (piece !== undefined) yield piece;
      if (at !== -1) return;
      await more();
    }
  }

  const head = async (): Promise<Buffer> => {
    for (let from = 0; ;) {
      const at = held.indexOf("\r\n\r\n", from, "latin1");
      if (at > maxHeadBytes || (at === -1 && held.length > maxHeadBytes)) {
        throw new IasError("too-large", `The head of a part passes ${maxHeadBytes} bytes.`, { reason: "MULTIPART_HEAD" });
      }
      if (at !== -1) return (await take(at + 4)).subarray(0, at);
      from = Math.max(0, held.length - 3);
      await more();
    }
  };

  try {
    for await (const _ of content()) throw broken("it does not begin with its boundary");
    for (let count = 0; ; count += 1) {
      const after = (await take(2)).toString("latin1");
      if (after === "--") break;
      if (after !== "\r\n") throw broken("a boundary is followed by something else than a line end");
      if (count === maxParts) throw new IasError("too-large", `The body has more than ${maxParts} parts.`, { reason: "MULTIPART_PARTS" });
      const body = content();
      yield { ...readHead(await head()), body };
      for await (const _ of body);
    }
    await epilogue(held, source);
  } finally {
    await source.return?.();
  }
}

/** After the last boundary may stand a line end. */
async function epilogue(held: Uint8Array, source: AsyncIterator<Uint8Array>): Promise<void> {
  let rest = Buffer.from(held).toString("latin1");
  for (let next = await source.next(); next.done !== true && rest.length <= 2; next = await source.next()) rest += Buffer.from(next.value).toString("latin1");
  if (rest !== "" && rest !== "\r\n") throw broken("something stands after its last boundary");
}

function readHead(bytes: Uint8Array): Omit<MultipartPart, "body"> {
  const lines = new Map<string, string>();
  for (const line of decode(bytes).split("\r\n")) {
    const [, name = "", value = ""] = /^([\w-]{1,64}):[ \t]*((?:\t|\P{Cc})*)$/u.exec(line) ?? [];
    if (name === "") throw broken(`a part's head has an unreadable line: ${JSON.stringify(line.slice(0, 80))}`);
    if (lines.has(name.toLowerCase())) throw broken(`a part's head has ${name} twice`);
    lines.set(name.toLowerCase(), value.trim());
  }
  const encoding = lines.get("content-transfer-encoding")?.toLowerCase() ?? "binary";
  if (!["binary", "8bit", "7bit"].includes(encoding)) throw broken(`a part is in the transfer encoding ${encoding.slice(0, 40)}; send it as it is`);
  const contentType = lines.get("content-type");
  return { ...readDisposition(lines.get("content-disposition") ?? ""), ...(contentType !== undefined && { contentType }) };
}

/** `form-data; name="…"; filename="…"`, with the escapes of WHATWG (`%22`, `%0D`, `%0A`) and of older senders (`\"`). */
function readDisposition(text: string): { readonly name: string; readonly filename?: string } {
  const kind = /^form-data\s*(?=;|$)/i.exec(text);
  const values = new Map<string, string>();
  let rest = kind === null ? "?" : text.slice(kind[0].length);
  while (rest !== "") {
    const match = /^;\s*([\w*-]{1,40})=(?:"((?:[^"\\]|\\.)*)"|([^\s";\\]*))\s*/.exec(rest);
    const key = match?.[1]?.toLowerCase() ?? "";
    if (match === null || values.has(key)) throw broken("a part's Content-Disposition is not form-data with a name");
    values.set(key, match[2] === undefined ? (match[3] ?? "") : unescape(match[2]));
    rest = rest.slice(match[0].length);
  }
  const name = values.get("name");
  if (name === undefined) throw broken("a part's Content-Disposition has no name");
  const filename = values.get("filename") ?? readExtended(values.get("filename*"));
  return { name, ...(filename !== undefined && { filename }) };
}

function unescape(text: string): string {
  return text.replaceAll('\\"', '"').replaceAll(/%(22|0D|0A)/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)));
}

/** RFC 5987, in UTF-8. */
function readExtended(value: string | undefined): string | undefined {
  if (value === undefined) return undefined;
  const [, encoded = ""] = /^utf-8'[\w-]*'([\w.!#$&+^`|~%-]*)$/i.exec(value) ?? [];
  try {
    return decodeURIComponent(encoded);
  } catch {
    throw broken("a part's filename* cannot be decoded");
  }
}

function decode(bytes: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    throw broken("a part's head is no UTF-8");
  }
}

function broken(what: string): IasError {
  return new IasError("invalid-request", `The multipart/form-data body cannot be read: ${what}.`, { reason: "MULTIPART_INVALID" });
}
