/**
 * Characters that could drive a terminal or hide text (SEMANTICS 26): C0 but line feed and tab, DEL, C1, marks and overrides of direction, tags.
 * Each is one character, so that it makes no difference how a sequence is cut into chunks.
 */
// eslint-disable-next-line no-control-regex -- these characters are what it is about
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/gu;

/** Text of an agent as a terminal may show it. */
export function toTerminal(text: string): string {
  return text.replaceAll(UNSAFE, "");
}

/** One line of at most `width` characters. */
export function toLine(text: string, width: number): string {
  const line = toTerminal(text.replaceAll(/\s+/g, " ")).trim();
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}

/** A value as one line of JSON that is safe on a terminal too: unsafe characters are escaped, so that nothing of the value is lost. */
export function toJsonLine(value: unknown): string {
  return `${escapeUnsafe(JSON.stringify(value))}\n`;
}

/** A value as indented JSON, as safe as `toJsonLine`. */
export function toJsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2).split("\n").map(escapeUnsafe).join("\n")}\n`;
}

function escapeUnsafe(json: string): string {
  return json.replaceAll(UNSAFE, (character) =>
    Array.from({ length: character.length }, (_, at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`).join(""),
  );
}
