/** What a user's words ask for, as far as the scripted demo agents can tell. */
export type Wish =
  | { readonly kind: "time"; readonly place: string }
  | { readonly kind: "calculate"; readonly expression: string }
  | { readonly kind: "dice"; readonly count: number; readonly sides: number }
  | { readonly kind: "note"; readonly to: string; readonly text: string }
  | { readonly kind: "other" };

/** Reads the plainest ways to ask for a tool; anything else is `other`. */
export function understand(said: string): Wish {
  return note(said) ?? dice(said) ?? time(said) ?? sum(said) ?? { kind: "other" };
}

function note(said: string): Wish | undefined {
  const found = /\b(?:send|write|leave)\s+(?:a\s+)?(?:note|message)\s+to\s+(\p{L}[\p{L}\p{N}._-]*)\s*(?:[:,]|\bthat\b|\bsaying\b)?\s*(.*)$/isu.exec(said);
  if (found === null) return undefined;
  const text = (found[2] ?? "").trim().replaceAll(/^["“']|["”']$/g, "");
  return { kind: "note", to: found[1] ?? "", text: text === "" ? "Hello!" : text };
}

function dice(said: string): Wish | undefined {
  const sized = /\b(\d{0,2})d(\d{1,4})\b/i.exec(said);
  if (sized !== null) return { kind: "dice", count: between(1, 20, Number(sized[1] || 1)), sides: between(2, 1000, Number(sized[2])) };
  if (!/\b(?:roll|throw|dice|die)\b/i.test(said)) return undefined;
  const count = /\b(\d{1,2}|two|three|four|five|six)\b/i.exec(said)?.[1]?.toLowerCase() ?? "1";
  const named = ["zero", "one", "two", "three", "four", "five", "six"].indexOf(count);
  return { kind: "dice", count: between(1, 20, named === -1 ? Number(count) : named), sides: 6 };
}

function time(said: string): Wish | undefined {
  if (!/\b(?:time|clock|o'clock|date|day is it|what day)\b/i.test(said)) return undefined;
  const place = /\b(?:in|at|for)\s+([\p{L}_][\p{L}_/ .'-]*)/iu
    .exec(said)?.[1]
    ?.replaceAll(/\b(?:right now|now|today|please)\b|[.?!\s]+$/giu, "")
    .trim();
  return { kind: "time", place: place === undefined || place === "" ? "UTC" : place };
}

const WORDS: readonly (readonly [RegExp, string])[] = [
  [/(\d+(?:\.\d+)?)\s*(?:%|percent)\s+of\s+/gi, "$1 / 100 * "],
  [/\b(?:the )?square root of\s+(\d+(?:\.\d+)?)/gi, "sqrt($1)"],
  [/\bplus\b/gi, "+"],
  [/\bminus\b/gi, "-"],
  [/\b(?:times|multiplied by)\b/gi, "*"],
  [/\bdivided by\b/gi, "/"],
  [/\bto the power of\b/gi, "^"],
  [/\bsquared\b/gi, "^ 2"],
  [/(\d)\s*x\s*(?=\d)/gi, "$1 * "],
];

function sum(said: string): Wish | undefined {
  const text = WORDS.reduce((words, [pattern, sign]) => words.replaceAll(pattern, sign), said).replaceAll(/\d{4}-\d{2}-\d{2}/g, " ");
  const pieces = text.match(/(?:sqrt|abs|round|floor|ceil|min|max|ln|log|pi|[\d().,+\-*/%^×÷\s])+/gi) ?? [];
  const expression = pieces
    .map((piece) => piece.replaceAll(/^[\s.,]+|[\s.,]+$/g, ""))
    .filter((piece) => /\d/.test(piece) && /[+\-*/%^×÷]\s*[\d(.a-z]|[a-z]\(/i.test(piece))
    .toSorted((a, b) => b.length - a.length)[0];
  return expression === undefined ? undefined : { kind: "calculate", expression };
}

function between(low: number, high: number, value: number): number {
  return Math.min(high, Math.max(low, value));
}
