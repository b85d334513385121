import type { ScreenLine } from "./screen.ts";
import { toTerminal } from "./terminal.ts";

/** Characters that take no cell: marks, joiners, variation selectors. */
const ZERO = /^(?:\p{Mn}|\p{Me}|[\u{200b}-\u{200d}]|[\u{2060}\u{feff}]|[\u{fe00}-\u{fe0f}])$/u;

/** Characters that take two cells: East Asian wide and full-width forms (UAX 11), and emoji. */
const WIDE =
  /^[\u{1100}-\u{115f}\u{2329}\u{232a}\u{2e80}-\u{303e}\u{3041}-\u{33ff}\u{3400}-\u{4dbf}\u{4e00}-\u{9fff}\u{a000}-\u{a4cf}\u{a960}-\u{a97f}\u{ac00}-\u{d7a3}\u{f900}-\u{faff}\u{fe30}-\u{fe6f}\u{ff00}-\u{ff60}\u{ffe0}-\u{ffe6}\u{1f300}-\u{1faff}\u{20000}-\u{3fffd}]$|^\p{Emoji_Presentation}$/u;

/** Cells that a character takes on a terminal, counted rather too wide than too narrow. */
function cells(character: string): number {
  if (character <= "~") return 1;
  return ZERO.test(character) ? 0 : WIDE.test(character) ? 2 : 1;
}

/** Cells that `text` takes. */
export function textWidth(text: string): number {
  let sum = 0;
  for (const character of text) sum += cells(character);
  return sum;
}

/** `text` on one line of at most `width` cells, cleaned; what does not fit ends with `…`. */
export function fitText(text: string, width: number): string {
  const line = toTerminal(text.replaceAll(/\s/g, " "));
  if (width <= 0) return "";
  if (textWidth(line) <= width) return line;
  let kept = "";
  let used = 0;
  for (const character of line) {
    used += cells(character);
    if (used > width - 1) break;
    kept += character;
  }
  return `${kept}…`;
}

/** `text`, fitted to exactly `width` cells. */
export function padText(text: string, width: number, side: "start" | "end" = "end"): string {
  const fitted = fitText(text, width);
  const space = " ".repeat(Math.max(0, width - textWidth(fitted)));
  return side === "end" ? fitted + space : space + fitted;
}

/** A line in pieces, cut to at most `columns` cells. */
export function fitLine(line: ScreenLine, columns: number): ScreenLine {
  const kept: ScreenLine[number][] = [];
  let left = columns;
  for (const span of line) {
    const text = fitText(span.text, left);
    left -= textWidth(text);
    if (text !== "") kept.push({ ...span, text });
  }
  return kept;
}
