/** Lets at most some works run at once; the rest wait in order. */
export interface Permits {
  run<T>(work: () => Promise<T>): Promise<T>;
}

/** Makes `count` permits. The line has no limit of its own: who stands in it waits for its own work. */
export function createPermits(count: number): Permits {
  let free = count;
  const line: (() => void)[] = [];
  return {
    async run(work) {
      if (free > 0) free -= 1;
      else await new Promise<void>((resolve) => line.push(resolve));
      try {
        return await work();
      } finally {
        const next = line.shift();
        // The permit goes on to the next in line, without being free between.
        if (next === undefined) free += 1;
        else next();
      }
    },
  };
}
