/** Work one after the other by name; different names run side by side. An idle name costs nothing. */
export interface Queues {
  run<T>(name: string, work: () => Promise<T>): Promise<T>;
  /** Resolves when all work that was handed in before has ended. */
  idle(): Promise<void>;
}

/** Makes queues without a limit: each caller waits for its own work, so callers bound them. */
export function createQueues(): Queues {
  const tails = new Map<string, Promise<unknown>>();
  return {
    run(name, work) {
      const result = (tails.get(name) ?? Promise.resolve()).then(work);
      const tail = result
        .catch(() => undefined)
        .then(() => {
          if (tails.get(name) === tail) tails.delete(name);
        });
      tails.set(name, tail);
      return result;
    },
    async idle() {
      await Promise.all(tails.values());
    },
  };
}
