/** Characters that could drive a terminal or hide text: C0 but line feed and tab, DEL, C1, and direction overrides (SEMANTICS 26). */
// eslint-disable-next-line no-control-regex -- these characters are what it is about
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e\u2066-\u2069]/g;

/** Text of an agent as a terminal may show it. */
export function toTerminal(text: string): string {
  return text.replaceAll("\r\n", "\n").replaceAll(UNSAFE, "");
}

/** One line of at most `width` characters. */
export function toLine(text: string, width: number): string {
  const line = toTerminal(text).replaceAll(/\s+/g, " ").trim();
  return line.length <= width ? line : `${line.slice(0, width - 1)}…`;
}
