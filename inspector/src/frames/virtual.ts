/** Which rows of a long list are to be drawn, and where. */
export interface Window {
  /** The first row, and the one after the last. */
  readonly first: number;
  readonly end: number;
  /** Where the first row is, px from the top of the scrolled content. */
  readonly offset: number;
  /** The height of the scrolled content, px. */
  readonly height: number;
}

/** What is scrolled. All in px. */
export interface Viewport {
  readonly scrollTop: number;
  readonly height: number;
  readonly rowHeight: number;
  readonly rows: number;
  /** Rows drawn beyond both edges; 8. */
  readonly overscan?: number;
}

/** Browsers draw nothing right beyond some 16 million px: a longer list is scrolled in a compressed space of this height. */
export const MAX_HEIGHT = 8_000_000;

/** The window of rows at a place of scrolling: as many as fit, whatever the list's length. */
export function windowOf({ scrollTop, height, rowHeight, rows, overscan = 8 }: Viewport): Window {
  const full = rows * rowHeight;
  const shown = Math.min(full, MAX_HEIGHT);
  const top = Math.min(Math.max(0, scrollTop), Math.max(0, shown - height));
  // In a compressed list the share that was scrolled decides, so that both ends are reached.
  const real = full <= MAX_HEIGHT ? top : (top / Math.max(1, shown - height)) * (full - height);
  const first = Math.max(0, Math.floor(real / rowHeight) - overscan);
  const end = Math.min(rows, Math.ceil((real + height) / rowHeight) + overscan);
  return { first, end, offset: top - (real - first * rowHeight), height: shown };
}

/** Where to scroll so that `row` is wholly seen: where it is already, or the least way. */
export function scrollTo(row: number, viewport: Viewport): number {
  const { height, rowHeight, rows, scrollTop } = viewport;
  const full = rows * rowHeight;
  const shown = Math.min(full, MAX_HEIGHT);
  const toReal = full <= MAX_HEIGHT ? 1 : (full - height) / Math.max(1, shown - height);
  const real = scrollTop * toReal;
  const top = row * rowHeight;
  const wanted = top < real ? top : top + rowHeight > real + height ? top + rowHeight - height : real;
  return Math.min(Math.max(0, wanted / toReal), Math.max(0, shown - height));
}

/** Whether the end of the list is seen, within a row: a list that is followed stays there. */
export function isAtEnd({ scrollTop, height, rowHeight, rows }: Viewport): boolean {
  return scrollTop + height >= Math.min(rows * rowHeight, MAX_HEIGHT) - rowHeight;
}

/**
 * Whether a list that grows is still followed after it was scrolled from `before` to `viewport.scrollTop`: it is left by scrolling up, and followed again at its
 * end. Rows may have come between the scrolling and its event, so that not being at the end says nothing.
 */
export function isFollowed(was: boolean, before: number, viewport: Viewport): boolean {
  return isAtEnd(viewport) || (was && viewport.scrollTop >= before);
}
