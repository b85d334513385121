/** Room at both ends of an arrow for its head, px; and for the words at least. */
const END_PX = 10;
const WORDS_PX = 60;

/** How far the words keep from both ends of an arrow, px, so that they are on the screen where the arrow reaches beyond it. */
export function insetOf(
  arrow: { readonly left: number; readonly right: number },
  seen: { readonly left: number; readonly right: number },
): { readonly left: number; readonly right: number } {
  const inset = { left: Math.max(END_PX, seen.left - arrow.left + END_PX), right: Math.max(END_PX, arrow.right - seen.right + END_PX) };
  return arrow.right - arrow.left - inset.left - inset.right < WORDS_PX ? { left: END_PX, right: END_PX } : inset;
}
