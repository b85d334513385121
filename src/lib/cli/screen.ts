/**
 * A block of lines at the end of the terminal that is redrawn in place. Commands say *what* stands there, never how: they have no way to send an
 * escape sequence, and text is cleaned on the way (SEMANTICS 26).
 */
export interface Screen {
  /** Cells a line, and lines of the window, now. */
  size(): { readonly columns: number; readonly rows: number };
  /** Replaces the block. Lines that are wider than the window are cut, and so are those that are too many for it. */
  draw(lines: readonly ScreenLine[]): void;
  /** Puts lines above the block, where they stay. */
  print(lines: readonly ScreenLine[]): void;
  /** Calls `handler` when the window's size changes; returns the way back. */
  onResize(handler: () => void): () => void;
  /** Takes the block away and gives the cursor back. Idempotent. */
  end(): void;
}

/** A line in pieces. */
export type ScreenLine = readonly Span[];

/** Text with a meaning; colours are the terminal's affair, and absent where `NO_COLOR` is set. */
export interface Span {
  readonly text: string;
  readonly tone?: Tone;
}

/** What a piece of text means. */
export type Tone = "strong" | "quiet" | "good" | "bad" | "warn";
