/**
 * The batches of `source`, mapped; a batch that becomes undefined is left out, one that becomes null ends them. `ended` is called once they have ended, failed or are given up. By hand and not as a
 * generator: it is on the way of every token, where a generator in a generator costs microseconds.
 */
export function mapBatches<T, U>(
  source: AsyncIterable<T>,
  map: (batch: T) => U | undefined | null | Promise<U | undefined>,
  ended: () => void = () => undefined,
): AsyncIterable<U> {
  return {
    [Symbol.asyncIterator]() {
      const batches = source[Symbol.asyncIterator]();
      return {
        async next() {
          try {
            for (;;) {
              const { done, value } = await batches.next();
              if (done === true) {
                ended();
                return { done: true, value: undefined };
              }
              const made = map(value);
              if (made === null) {
                ended();
                await batches.return?.();
                return { done: true, value: undefined };
              }
              const mapped = made instanceof Promise ? await made : made;
              if (mapped !== undefined) return { done: false, value: mapped };
            }
          } catch (error) {
            ended();
            throw error;
          }
        },
        async return() {
          ended();
          await batches.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}
