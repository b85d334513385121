import type { Screen, ScreenLine, Tone } from "../cli/screen.ts";
import { fitLine, textWidth } from "../cli/text-width.ts";

/** What a screen needs of a terminal. */
export interface ScreenParts {
  readonly write: (text: string) => void;
  /** Undefined where the terminal does not say it. */
  readonly size: () => { readonly columns: number | undefined; readonly rows: number | undefined };
  readonly color: boolean;
  readonly onResize: (handler: () => void) => () => void;
}

const ESC = "\u001b[";
const SGR: Record<Tone, string> = { strong: "1", quiet: "2", good: "32", bad: "31", warn: "33" };

/** A screen on a terminal that understands ECMA-48. Each frame is one write in a synchronized update (DEC mode 2026, ignored where unknown), so nothing flickers. */
export function createTerminalScreen({ write, size, color, onResize }: ScreenParts): Screen {
  /** The widths of the lines that stand there. */
  let drawn: readonly number[] = [];
  let block: readonly ScreenLine[] = [];
  let shown = "";
  let isOpen = false;

  const sizeNow = () => {
    const { columns, rows } = size();
    // A terminal that nobody told its size (of a container, for example) says that it has none.
    return { columns: columns || 80, rows: Math.max(rows || 24, 2) };
  };
  /** To the block's first cell, wherever lines have wrapped since the window became narrower. */
  const toTop = (): string => {
    const { columns, rows } = sizeNow();
    const height = drawn.reduce((sum, width) => sum + Math.max(1, Math.ceil(width / columns)), 0);
    return height === 0 ? "\r" : `\r${ESC}${Math.min(height, rows - 1)}A`;
  };
  const frame = (above: readonly ScreenLine[]): void => {
    const { columns, rows } = sizeNow();
    const cut = (lines: readonly ScreenLine[]) => lines.map((line) => fitLine(line, columns));
    const below = cut(block.slice(0, rows - 1));
    const text = below.map((line) => paint(line, color)).join("\n");
    if (above.length === 0 && text === shown && isOpen) return;
    // Erased before it is written: at the end of a full line the cursor stands on its last character.
    const lines = [...cut(above), ...below].map((line) => `${ESC}K${paint(line, color)}\n`).join("");
    // Without auto-wrap, a character that is wider than we know cannot make a second line.
    write(`${ESC}?2026h${isOpen ? "" : `${ESC}?25l`}${ESC}?7l${toTop()}${lines}${ESC}J${ESC}?7h${ESC}?2026l`);
    isOpen = true;
    drawn = below.map((line) => line.reduce((sum, span) => sum + textWidth(span.text), 0));
    shown = text;
  };

  return {
    size: sizeNow,
    draw(lines) {
      block = lines;
      frame([]);
    },
    print: frame,
    onResize: (handler) =>
      onResize(() => {
        shown = "";
        handler();
      }),
    end() {
      if (!isOpen) return;
      write(`${toTop()}${ESC}J${ESC}?25h`);
      [isOpen, drawn, shown, block] = [false, [], "", []];
    },
  };
}

function paint(line: ScreenLine, color: boolean): string {
  return line.map(({ text, tone }) => (tone === undefined || !color ? text : `${ESC}${SGR[tone]}m${text}${ESC}0m`)).join("");
}
