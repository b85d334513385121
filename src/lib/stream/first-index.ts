/**
 * The first index below `length` for which `isPast` holds, or `length`; found by halves. `isPast` must hold from one index on and for none before it.
 */
export function firstIndex(length: number, isPast: (index: number) => boolean): number {
  let low = 0;
  let high = length;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (isPast(middle)) high = middle;
    else low = middle + 1;
  }
  return low;
}
