import { splitText } from "../model/cut-text.ts";

/** The beginning of a text in at most `max` UTF-16 units, and how much more there was. */
export function clipText(text: string, max: number): string {
  if (text.length <= max) return text;
  const begin = splitText(text, Math.max(1, max - 50))[0] ?? "";
  return `${begin}… [${text.length - begin.length} more characters]`;
}
