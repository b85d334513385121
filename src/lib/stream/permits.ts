/**
 * Lets at most some works run at once, and at most some of one owner; the rest wait. Owners take turns, and the works of one go in their order: who brings very
 * many delays others by one each.
 */
export interface Permits {
  run<T>(owner: string, work: () => Promise<T>): Promise<T>;
  /** How many wait, of one owner if it is given. */
  waiting(owner?: string): number;
}

/** Makes `count` permits. The lines have no limit of their own: who stands in one waits for its own work. `perOwner`: default all. */
export function createPermits(count: number, { perOwner = Number.POSITIVE_INFINITY }: { readonly perOwner?: number } = {}): Permits {
  let free = count;
  /** By owner, how many it has. */
  const held = new Map<string, number>();
  /** By owner, whose turn is next first; none is empty. */
  const lines = new Map<string, (() => void)[]>();
  let waiting = 0;

  const mayBegin = (owner: string): boolean => free > 0 && (held.get(owner) ?? 0) < perOwner;

  const take = (owner: string): void => {
    free -= 1;
    held.set(owner, (held.get(owner) ?? 0) + 1);
  };

  const giveBack = (owner: string): void => {
    free += 1;
    const left = (held.get(owner) ?? 0) - 1;
    if (left > 0) held.set(owner, left);
    else held.delete(owner);
  };

  /** Gives what is free to those in line, one each in turn. */
  const giveOut = (): void => {
    for (const [owner, line] of lines) {
      if (free <= 0) return;
      if (!mayBegin(owner)) continue;
      lines.delete(owner);
      const begin = line.shift();
      waiting -= 1;
      if (line.length > 0) lines.set(owner, line);
      // Taken here, so that nobody comes between.
      take(owner);
      begin?.();
    }
  };

  return {
    async run(owner, work) {
      if (mayBegin(owner)) take(owner);
      else {
        waiting += 1;
        await new Promise<void>((resolve) => {
          const line = lines.get(owner);
          if (line === undefined) lines.set(owner, [resolve]);
          else line.push(resolve);
        });
      }
      try {
        return await work();
      } finally {
        giveBack(owner);
        giveOut();
      }
    },
    waiting: (owner) => (owner === undefined ? waiting : (lines.get(owner)?.length ?? 0)),
  };
}
