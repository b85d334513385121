import { IasError } from "../model/errors.ts";

/**
 * The bytes of a part's `raw`. Both alphabets and missing padding are read, as ProtoJSON demands; anything else is refused, where Node would skip it and give other bytes.
 * @throws IasError `invalid-params`, naming `field`, what was wrong and where.
 */
export function decodeBase64(text: string, field: string): Buffer {
  const body = text.replace(/={1,2}$/, "");
  const padding = text.length - body.length;
  const bad = /[^A-Za-z0-9+/_-]/.exec(body);
  if (bad !== null)
    throw wrong(field, `holds ${JSON.stringify(bad[0])} at position ${bad.index}; base64 has A-Z, a-z, 0-9, "+" and "/", no line breaks and no "data:" prefix`);
  if (/[+/]/.test(body) && /[-_]/.test(body)) throw wrong(field, `mixes the standard ("+", "/") and the URL-safe ("-", "_") alphabet`);
  if (body.length % 4 === 1) throw wrong(field, `ends within a byte (${body.length} characters); the content is cut off`);
  if (padding > 0 && text.length % 4 !== 0)
    throw wrong(field, `has ${padding} padding character${padding > 1 ? "s" : ""} too many or too few for ${body.length} characters`);
  const bytes = Buffer.from(body, "base64");
  if (bytes.length % 3 !== 0 && !hasZeroTail(body)) throw wrong(field, "has bits after its last byte; the content is cut off or altered");
  return bytes;
}

/** How many bytes base64 text stands for. */
export function base64Size(text: string): number {
  const padding = text.endsWith("==") ? 2 : text.endsWith("=") ? 1 : 0;
  return Math.floor(((text.length - padding) * 3) / 4);
}

function hasZeroTail(body: string): boolean {
  const tail = body.slice(body.length - (body.length % 4));
  return Buffer.from(tail, "base64").toString("base64url") === tail.replaceAll("+", "-").replaceAll("/", "_");
}

function wrong(field: string, text: string): IasError {
  const description = `${field} ${text}.`;
  return new IasError("invalid-params", `The base64 of ${description}`, { reason: "BASE64_INVALID", fields: [{ field, description }] });
}
