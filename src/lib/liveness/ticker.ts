/**
 * One timer for the clocks of many watched streams: a wheel of slots, each member in one, each turn of the wheel serves one slot. It measures how long the
 * event loop was blocked, which every deadline is longer by (SEMANTICS 28). The timer runs only while there are members.
 */
export interface Ticker extends Disposable {
  /** The clock that is judged by: ms, monotonic. */
  now(): number;
  /** `tick` is called every `tickMs` with the time and how long the loop was blocked since its last tick, until the returned function is called. It must not throw. */
  add(tick: (at: number, lagMs: number) => void): () => void;
  readonly size: number;
}

/** How a ticker ticks. */
export interface TickerOptions {
  /** Between two ticks of a member, ms; 250. A stall is found within its threshold and this. */
  readonly tickMs?: number;
  /** Default `performance.now`. */
  readonly now?: () => number;
  /** Calls `beat` about every `ms` until the returned function is called. Default: a timer of Node's. Tests give their own. */
  readonly every?: (ms: number, beat: () => void) => () => void;
}

const SLOTS = 5;
/** A timer is often late by less; that is no block. */
const LAG_MS = 20;

interface Member {
  readonly tick: (at: number, lagMs: number) => void;
  /** `lag` at its last tick. */
  lag: number;
}

/** A ticker; its owner disposes of it. */
export function createTicker(options: TickerOptions = {}): Ticker {
  const { tickMs = 250, now = () => performance.now(), every = nodeTimer } = options;
  const slotMs = Math.max(1, tickMs / SLOTS);
  const slots: Set<Member>[] = Array.from({ length: SLOTS }, () => new Set());
  let hand = 0;
  let size = 0;
  /** All lag so far, ms. */
  let lag = 0;
  let last = 0;
  let stop: (() => void) | undefined;

  const turn = (): void => {
    const at = now();
    const late = at - last - slotMs;
    if (late >= LAG_MS) lag += late;
    last = at;
    hand = (hand + 1) % SLOTS;
    for (const member of slots[hand] ?? []) {
      const blocked = lag - member.lag;
      member.lag = lag;
      member.tick(at, blocked);
    }
  };
  const end = (): void => {
    stop?.();
    stop = undefined;
  };

  return {
    now,
    get size() {
      return size;
    },
    add(tick) {
      const slot = slots.reduce((least, each) => (each.size < least.size ? each : least));
      const member: Member = { tick, lag };
      slot.add(member);
      size += 1;
      if (stop === undefined) {
        last = now();
        stop = every(slotMs, turn);
      }
      return () => {
        if (!slot.delete(member)) return;
        size -= 1;
        if (size === 0) end();
      };
    },
    [Symbol.dispose]: end,
  };
}

function nodeTimer(ms: number, beat: () => void): () => void {
  const timer = setInterval(beat, ms);
  return () => clearInterval(timer);
}
