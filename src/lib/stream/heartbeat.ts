/**
 * One timer for the heartbeats of all streams (SEMANTICS 9): a wheel of slots, each member in one, each tick serves one slot. Adding and leaving cost the same
 * for any number of members; none holds a timer of its own.
 */
export interface HeartbeatWheel extends Disposable {
  /** `beat` is called every period from now, until the returned function is called. It must not throw. */
  add(beat: () => void): () => void;
  readonly size: number;
}

/** A wheel with a period of `periodMs` in `slots` steps. The timer runs only while there are members, and never keeps the process alive. */
export function createHeartbeatWheel(options: { readonly periodMs: number; readonly slots?: number }): HeartbeatWheel {
  const count = options.slots ?? 60;
  const slots: Set<() => void>[] = Array.from({ length: count }, () => new Set());
  let now = 0;
  let size = 0;
  let timer: NodeJS.Timeout | undefined;

  const turn = (): void => {
    now = (now + 1) % count;
    for (const beat of slots[now] ?? []) beat();
  };
  const stop = (): void => {
    clearInterval(timer);
    timer = undefined;
  };

  return {
    get size() {
      return size;
    },
    add(beat) {
      const slot = slots[now];
      if (slot === undefined) return stop;
      const own = (): void => beat();
      slot.add(own);
      size += 1;
      timer ??= setInterval(turn, Math.max(1, options.periodMs / count)).unref();
      return () => {
        if (!slot.delete(own)) return;
        size -= 1;
        if (size === 0) stop();
      };
    },
    [Symbol.dispose]: stop,
  };
}
