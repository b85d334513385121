/** What was opened, closed in reverse order, once: a stack of owners for code that opens many things and may fail in the middle. */
export interface Closer {
  add(close: () => Promise<void>): void;
  /** Closes all, also when one of them fails; throws the first failure at the end. */
  close(): Promise<void>;
}

/** An empty stack. */
export function createCloser(): Closer {
  const closes: (() => Promise<void>)[] = [];
  return {
    add: (close) => void closes.push(close),
    async close() {
      const failures: unknown[] = [];
      for (let close = closes.pop(); close !== undefined; close = closes.pop()) {
        try {
          await close();
        } catch (error) {
          failures.push(error);
        }
      }
      if (failures.length > 0) throw failures[0];
    },
  };
}
