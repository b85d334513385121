/**
 * Characters that could drive a terminal or hide text (SEMANTICS 26): C0 but line feed and tab, DEL, C1, marks and overrides of direction, tags.
 * Each is one character, so that it makes no difference how a sequence is cut into chunks.
 */
// eslint-disable-next-line no-control-regex -- these characters are what it is about
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu;

/** `text` with each unsafe character replaced. */
export function replaceUnsafe(text: string, replace: (character: string) => string): string {
  return text.replaceAll(UNSAFE, replace);
}

/** JSON text in which unsafe characters are escaped, so that nothing of the value is lost. The JSON must not be indented by tabs. */
export function escapeUnsafe(json: string): string {
  return replaceUnsafe(json, (character) =>
    Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`).join(""),
  );
}
