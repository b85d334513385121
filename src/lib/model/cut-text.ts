/** `text` in at most `max` UTF-16 units; where something is cut off, `…` stands for it. Never half of a surrogate pair is left. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  const last = text.charCodeAt(max - 2);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return `${text.slice(0, splitsPair ? max - 2 : max - 1)}…`;
}

/** Pieces of at most `max` UTF-16 units, which together are `text`. No surrogate pair is split (so `max` is 2 or more). */
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
