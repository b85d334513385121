/**
 * Reads `source` as it is, one item asked for per item delivered, and ends (by returning) as soon as `signal` aborts, even while
 * `source` hangs in something that does not know the signal. The source is told by `return()`; its clean-up is not waited for then.
 * Errors of `source` pass through, also those that it throws because of the abort.
 */
export async function* untilAborted<T>(source: AsyncIterable<T>, signal: AbortSignal): AsyncGenerator<T, void, undefined> {
  if (signal.aborted) return;
  const iterator = source[Symbol.asyncIterator]();
  // One promise per item, not one race against a promise of the whole stream: that would keep a reaction per item.
  let stop = (): void => {};
  const onAbort = (): void => stop();
  signal.addEventListener("abort", onAbort);
  let ended = false;
  try {
    while (!signal.aborted) {
      const result = await new Promise<IteratorResult<T> | undefined>((resolve, reject) => {
        stop = () => resolve(undefined);
        iterator.next().then(resolve, reject);
      });
      if (result === undefined) return;
      if (result.done === true) {
        ended = true;
        return;
      }
      yield result.value;
    }
  } catch (error) {
    ended = true;
    throw error;
  } finally {
    signal.removeEventListener("abort", onAbort);
    if (!ended) {
      const closing = iterator.return?.().then(nothing, nothing);
      if (!signal.aborted) await closing;
    }
  }
}

function nothing(): void {}
