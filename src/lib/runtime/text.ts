/** Pieces of at most `max` UTF-16 units that do not split a surrogate pair. */
export function splitText(text: string, max: number): readonly string[] {
  if (text.length <= max) return [text];
  const pieces: string[] = [];
  for (let from = 0; from < text.length;) {
    let to = Math.min(from + max, text.length);
    const last = text.charCodeAt(to - 1);
    if (to < text.length && last >= 0xd800 && last <= 0xdbff) to -= 1;
    pieces.push(text.slice(from, to));
    from = to;
  }
  return pieces;
}

/** The beginning of a text in at most `max` UTF-16 units, and how much more there was. */
export function clipText(text: string, max: number): string {
  if (text.length <= max) return text;
  const begin = splitText(text, Math.max(1, max - 50))[0] ?? "";
  return `${begin}… [${text.length - begin.length} more characters]`;
}
