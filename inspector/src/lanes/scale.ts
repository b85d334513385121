/** Which stretch of time is on the screen: a value, changed by the functions below. */
export interface Scale {
  /** The time at the left edge, ms since the epoch. */
  readonly from: number;
  readonly msPerPx: number;
  /** Of the plot, px. */
  readonly width: number;
  /** Whether the right edge stays with the present. */
  readonly follow: boolean;
}

/** 20 px a millisecond is close enough; a screen of two weeks is wide enough. */
const MIN_MS_PER_PX = 0.05;
const MAX_MS_PER_PX = 1_000_000;
/** Room between the present and the right edge, px. */
const MARGIN_PX = 24;

/** A scale that shows `ms` before `now`, following. */
export function createScale(now: number, width: number, ms = 8000): Scale {
  return followTo({ from: now, msPerPx: clampZoom(ms / Math.max(1, width)), width, follow: true }, now);
}

/** Where `at` is, px from the left edge. */
export function toPx(scale: Scale, at: number): number {
  return (at - scale.from) / scale.msPerPx;
}

/** Which time is at `px`. */
export function toTime(scale: Scale, px: number): number {
  return scale.from + px * scale.msPerPx;
}

/** The time at the right edge. */
export function endOf(scale: Scale): number {
  return toTime(scale, scale.width);
}

/** The same time in the plot's new width; what is at the right edge stays there while following, else what is at the left. */
export function resize(scale: Scale, width: number): Scale {
  if (width === scale.width || width <= 0) return scale;
  return { ...scale, width, from: scale.follow ? endOf(scale) - width * scale.msPerPx : scale.from };
}

/** Zooms by `factor` (above 1: closer) around `px`. While following, the present stays where it is, so that following goes on. */
export function zoom(scale: Scale, px: number, factor: number): Scale {
  const msPerPx = clampZoom(scale.msPerPx / factor);
  const anchor = scale.follow ? scale.width - MARGIN_PX : px;
  return { ...scale, msPerPx, from: toTime(scale, anchor) - anchor * msPerPx };
}

/** Moves the picture by `px` to the right (to earlier times), which ends following. */
export function pan(scale: Scale, px: number): Scale {
  return px === 0 ? scale : { ...scale, from: scale.from - px * scale.msPerPx, follow: false };
}

/**
 * Puts the present at the right edge; without effect where the scale does not follow. While all that there is, from `origin` on, has room, the picture begins with it
 * and the present moves to the right.
 */
export function followTo(scale: Scale, now: number, origin?: number): Scale {
  if (!scale.follow) return scale;
  const from = now - Math.max(0, scale.width - MARGIN_PX) * scale.msPerPx;
  return { ...scale, from: origin === undefined ? from : Math.max(from, Math.min(origin, now) - MARGIN_PX * scale.msPerPx) };
}

/** Of a stream that begins, few seconds are on the screen, and with time more; so much a pixel at most, ms. */
const WIDEST_GROWN = 40;

/** Twice the time on the screen, while all since `origin` has no room and it is not much yet. In steps, so that between them nothing moves; without effect where it does not follow. */
export function grow(scale: Scale, now: number, origin: number): Scale {
  if (!scale.follow || scale.msPerPx * 2 > WIDEST_GROWN || now - origin <= (scale.width - 2 * MARGIN_PX) * scale.msPerPx) return scale;
  return followTo({ ...scale, msPerPx: scale.msPerPx * 2 }, now, origin);
}

/** Begins or ends following. */
export function setFollow(scale: Scale, follow: boolean, now: number): Scale {
  return followTo({ ...scale, follow }, now);
}

/** Shows [from, to] with a little room at both sides, not following. */
export function fit(scale: Scale, from: number, to: number): Scale {
  const room = Math.max(1, scale.width - 2 * MARGIN_PX);
  const msPerPx = clampZoom(Math.max(1, to - from) / room);
  return { ...scale, msPerPx, from: from - MARGIN_PX * msPerPx, follow: false };
}

/** Brings `at` onto the screen: to the middle where it is outside, and not at all where it is inside. */
export function reveal(scale: Scale, at: number): Scale {
  const px = toPx(scale, at);
  return px >= 0 && px <= scale.width ? scale : { ...scale, from: at - (scale.width / 2) * scale.msPerPx, follow: false };
}

/** Lines of the axis: at round distances of `origin`, at least `minPx` apart. */
export function axisOf(scale: Scale, origin: number, minPx = 90): readonly { readonly at: number; readonly px: number; readonly label: string }[] {
  const least = minPx * scale.msPerPx;
  const step = STEPS.find((ms) => ms >= least) ?? STEPS.at(-1) ?? 1;
  const lines = [];
  const first = Math.ceil((scale.from - origin) / step);
  const last = Math.floor((endOf(scale) - origin) / step);
  for (let line = first; line <= last && lines.length < 200; line += 1) {
    const at = origin + line * step;
    lines.push({ at, px: toPx(scale, at), label: spanText(line * step, step) });
  }
  return lines;
}

const SECOND = 1000;
const MINUTE = 60 * SECOND;
const HOUR = 60 * MINUTE;
const DAY = 24 * HOUR;
const STEPS = [
  ...[1, 2, 5, 10, 20, 50, 100, 200, 500].map((ms) => ms),
  ...[1, 2, 5, 10, 20, 30].map((seconds) => seconds * SECOND),
  ...[1, 2, 5, 10, 20, 30].map((minutes) => minutes * MINUTE),
  ...[1, 2, 4, 8, 12].map((hours) => hours * HOUR),
  ...[1, 2, 7, 14].map((days) => days * DAY),
  ...[30, 60, 120, 365].map((days) => days * DAY),
];

/** A span of time as people read it, as exactly as `step` asks: `1.25 s`, `2:05`, `1:02:05`. Below 0 with a minus sign. */
export function spanText(ms: number, step = 1): string {
  const sign = ms < 0 ? "−" : "";
  const size = Math.abs(ms);
  if (size < MINUTE) {
    if (step < SECOND && size < SECOND) return `${sign}${Math.round(size)} ms`;
    const digits = step < 10 ? 3 : step < 100 ? 2 : step < SECOND ? 1 : 0;
    return `${sign}${(size / SECOND).toFixed(digits)} s`;
  }
  const seconds = (size % MINUTE) / SECOND;
  const tail = (step < SECOND ? seconds.toFixed(step < 10 ? 3 : step < 100 ? 2 : 1) : String(Math.floor(seconds))).padStart(step < SECOND ? 4 : 2, "0");
  const minutes = Math.floor((size % HOUR) / MINUTE);
  if (size < HOUR) return `${sign}${minutes}:${tail}`;
  return `${sign}${Math.floor(size / HOUR)}:${String(minutes).padStart(2, "0")}:${tail}`;
}

function clampZoom(msPerPx: number): number {
  return Math.min(MAX_MS_PER_PX, Math.max(MIN_MS_PER_PX, msPerPx));
}
