import { IasError } from "../model/errors.ts";

/**
 * Keeps the texts of a turn whole: a character of two UTF-16 units whose halves come in two pieces goes out with the second. Half a character has no form in UTF-8, so a
 * reader over gRPC, a Python client or a file would get U+FFFD for each.
 */
export interface WholeText {
  /**
   * The piece that can be said of the text `of` (an artifact, or whose words) now: without the half that it ends in, after the half that the piece before ended in; "" where that is all.
   * Throws `engine-failed`, reason EVENT_INVALID, for a half that has no other.
   */
  next(kind: "artifact" | "text" | "reasoning", of: string | readonly string[], piece: string): string;
  /** Throws the same where a half is left over: the turn is about to end. */
  finish(): void;
}

/** For one attempt of one turn. */
export function createWholeText(): WholeText {
  /** Halves that wait for the rest, by the text that they are of. */
  const halves = new Map<string, string>();
  return {
    next(kind, of, piece) {
      if (halves.size === 0 && !endsInHalf(piece)) return check(piece);
      const name = `${kind} ${typeof of === "string" ? of : of.map(encodeURIComponent).join("/")}`;
      const joined = (halves.get(name) ?? "") + piece;
      if (!endsInHalf(joined)) {
        halves.delete(name);
        return check(joined);
      }
      halves.set(name, joined.slice(-1));
      return check(joined.slice(0, -1));
    },
    finish() {
      for (const half of halves.values()) check(half);
    },
  };
}

function endsInHalf(text: string): boolean {
  return (text.charCodeAt(text.length - 1) & 0xfc00) === 0xd800;
}

function check(text: string): string {
  if (text.isWellFormed()) return text;
  const alone = /[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/.exec(text)?.[0] ?? "";
  const unit = alone.charCodeAt(0).toString(16).toUpperCase();
  throw new IasError(
    "engine-failed",
    `A text of the agent has half of a character (U+${unit}, a lone surrogate) without the other. Send whole characters: text.isWellFormed() tells, slice() by UTF-16 units cuts them. Only two pieces one after the other of the same text may share one.`,
    { reason: "EVENT_INVALID" },
  );
}
