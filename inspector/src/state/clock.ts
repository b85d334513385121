import { type ReadonlySignal, signal } from "@preact/signals";
import { pageNow } from "./frame.ts";

// Entries have the time of the server that wrote them. A browser's clock may be minutes off, so whatever is compared with entries is told by the server's clock, as
// far as a page can know it: each answer is stamped with a second (the header `Date`), and lay between its request and its arrival.

/** Where the server's clock lies against the page's: at least `low` and at most `high` ms ahead of it. */
export interface ClockSpan {
  readonly low: number;
  readonly high: number;
}

/** An answer: its stamp in whole seconds, and when it was asked for and came by the page's clock; all ms since the epoch. */
export interface StampedAnswer {
  readonly stamp: number;
  readonly asked: number;
  readonly came: number;
}

/** A stamp has whole seconds, and Node renews it by a timer that may be late. */
const STAMP_MS = 1250;

/** What is known with one answer more. Answers that contradict those before mean that a clock was changed: then only the new one counts. */
export function narrow(before: ClockSpan | undefined, { stamp, asked, came }: StampedAnswer): ClockSpan {
  const now = { low: stamp - came, high: stamp + STAMP_MS - asked };
  if (before === undefined || now.low > before.high || now.high < before.low) return now;
  return { low: Math.max(before.low, now.low), high: Math.min(before.high, now.high) };
}

/** How far the server's clock is ahead, ms: nothing while the two may be the same, else the middle of what is possible. */
export function offsetOf(span: ClockSpan | undefined): number {
  return span === undefined || (span.low <= 0 && span.high >= 0) ? 0 : (span.low + span.high) / 2;
}

let span: ClockSpan | undefined;
const offset = signal(0);

/** How far the server's clock is ahead of the page's, ms, as far as it is known: changes when more is known. */
export const clockOffset: ReadonlySignal<number> = offset;

/** Learns from an answer of the server that was asked for at `asked`, by the page's clock. */
export function learnClock(response: Response, asked: number): void {
  const stamp = Date.parse(response.headers.get("date") ?? "");
  if (Number.isNaN(stamp)) return;
  span = narrow(span, { stamp, asked, came: pageNow() });
  offset.value = offsetOf(span);
}

/** The present by the server's clock, as far as it is known, ms since the epoch: what entries' times are held against. */
export function serverNow(): number {
  return pageNow() + offset.peek();
}

const WATCH_MS = 5000;
/** Timers are not that late without a reason. */
const JUMP_MS = 1500;

/** Forgets what it knows and calls `ask`, to get an answer to learn from, when the page has slept or its clock was set. To be called once, for as long as the page lives. */
export function watchClock(ask: () => void): void {
  let apart = Date.now() - pageNow();
  setInterval(() => {
    const now = Date.now() - pageNow();
    if (Math.abs(now - apart) > JUMP_MS) {
      span = undefined;
      ask();
    }
    apart = now;
  }, WATCH_MS);
}
