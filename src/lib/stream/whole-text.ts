import { IasError } from "../model/errors.ts";

/**
 * Keeps the texts of a turn whole: a character of two UTF-16 units whose halves come in two pieces goes out with the second. Half a character has no form in UTF-8, so a
 * reader over gRPC, a Python client or a file would get U+FFFD for each.
 */
export interface WholeText {
  /**
   * The piece that can be said of the text `of` (an artifact, or whose words) now: without the half that it ends in, after the half that the piece before ended in; "" where that is all.
   * A half that has no other is U+FFFD, or throws `engine-failed`, reason EVENT_INVALID.
   */
  next(kind: TextKind, of: string | readonly string[], piece: string): string;
  /** The text `of` begins anew: a half that was held back of it has no other any more. */
  begin(kind: TextKind, of: string | readonly string[]): void;
  /** The turn is about to end: throws the same where a half is left over. One that is to be replaced is dropped. */
  finish(): void;
}

/** Whose text it is: an artifact's, a child's words, reasoning. */
type TextKind = "artifact" | "text" | "reasoning";

/** For one attempt of one turn. `lone`: what becomes of a half that has no other. */
export function createWholeText(lone: "refuse" | "replace"): WholeText {
  const check = lone === "refuse" ? refuse : replace;
  /** Halves that wait for the rest, by the text that they are of. */
  const halves = new Map<string, string>();
  return {
    next(kind, of, piece) {
      if (halves.size === 0 && !endsInHalf(piece)) return check(piece);
      const name = nameOf(kind, of);
      const joined = (halves.get(name) ?? "") + piece;
      if (!endsInHalf(joined)) {
        halves.delete(name);
        return check(joined);
      }
      halves.set(name, joined.slice(-1));
      return check(joined.slice(0, -1));
    },
    begin(kind, of) {
      if (halves.size === 0) return;
      const name = nameOf(kind, of);
      check(halves.get(name) ?? "");
      halves.delete(name);
    },
    finish() {
      for (const half of halves.values()) check(half);
    },
  };
}

function nameOf(kind: TextKind, of: string | readonly string[]): string {
  return `${kind} ${typeof of === "string" ? of : of.map(encodeURIComponent).join("/")}`;
}

function endsInHalf(text: string): boolean {
  return (text.charCodeAt(text.length - 1) & 0xfc00) === 0xd800;
}

function replace(text: string): string {
  return text.toWellFormed();
}

function refuse(text: string): string {
  if (text.isWellFormed()) return text;
  const alone = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.exec(text)?.[0] ?? "";
  const unit = alone.charCodeAt(0).toString(16).toUpperCase();
  throw new IasError(
    "engine-failed",
    `A text of the agent has half of a character (U+${unit}, a lone surrogate) without the other. Send whole characters: text.isWellFormed() tells, slice() by UTF-16 units cuts them. Only two pieces one after the other of the same text may share one.`,
    { reason: "EVENT_INVALID" },
  );
}
