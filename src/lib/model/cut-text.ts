/** `text` in at most `max` UTF-16 units; where something is cut off, `…` stands for it. Never half of a surrogate pair is left. */
export function cutText(text: string, max: number): string {
  if (text.length <= max) return text;
  const last = text.charCodeAt(max - 2);
  const splitsPair = last >= 0xd800 && last <= 0xdbff;
  return `${text.slice(0, splitsPair ? max - 2 : max - 1)}…`;
}
