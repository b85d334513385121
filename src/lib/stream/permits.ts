/** Lets at most some works run at once; the rest wait. Owners take turns, and the works of one go in their order: who brings very many delays others by one each. */
export interface Permits {
  run<T>(owner: string, work: () => Promise<T>): Promise<T>;
}

/** Makes `count` permits. The lines have no limit of their own: who stands in one waits for its own work. */
export function createPermits(count: number): Permits {
  let free = count;
  /** By owner, whose turn is next first; none is empty. */
  const lines = new Map<string, (() => void)[]>();

  const next = (): (() => void) | undefined => {
    const [first] = lines;
    if (first === undefined) return undefined;
    const [owner, line] = first;
    const begin = line.shift();
    lines.delete(owner);
    if (line.length > 0) lines.set(owner, line);
    return begin;
  };

  return {
    async run(owner, work) {
      if (free > 0) free -= 1;
      else {
        await new Promise<void>((resolve) => {
          const line = lines.get(owner);
          if (line === undefined) lines.set(owner, [resolve]);
          else line.push(resolve);
        });
      }
      try {
        return await work();
      } finally {
        const begin = next();
        // The permit goes on to the next in line, without being free between.
        if (begin === undefined) free += 1;
        else begin();
      }
    },
  };
}
