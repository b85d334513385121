import { cutText } from "../model/cut-text.ts";
import { escapeUnsafe, replaceUnsafe } from "../model/unsafe-text.ts";

/** Text of an agent as a terminal may show it. */
export function toTerminal(text: string): string {
  return replaceUnsafe(text, () => "");
}

/** One line of at most `width` characters. */
export function toLine(text: string, width: number): string {
  return cutText(toTerminal(text.replaceAll(/\s+/g, " ")).trim(), width);
}

/** A value as one line of JSON that is safe on a terminal too: unsafe characters are escaped, so that nothing of the value is lost. */
export function toJsonLine(value: unknown): string {
  return `${escapeUnsafe(JSON.stringify(value))}\n`;
}

/** A value as indented JSON, as safe as `toJsonLine`. */
export function toJsonText(value: unknown): string {
  return `${JSON.stringify(value, undefined, 2).split("\n").map(escapeUnsafe).join("\n")}\n`;
}
