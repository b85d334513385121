import { IasError } from "../../model/errors.ts";
import type { StreamKey } from "../../model/key.ts";
import { holdKey, type KeptConfig } from "./config.ts";
import { deliver, type DeliveryParts, type Hold } from "./delivery.ts";

/** The deliveries that run in this process, one for each configuration that has a hold. Disposing ends them; their cursors stay. */
export interface Deliveries extends AsyncDisposable {
  /** Delivers from the hold's cursor on, until the stream's end. */
  launch(key: StreamKey, kept: KeptConfig): void;
  /** Ends a configuration's delivery, if one runs, and resolves when it has ended. Its hold stays. */
  stop(key: StreamKey, id: string): Promise<void>;
  /** How many run or wait. */
  readonly size: number;
}

/** How long a delivery rests that the store failed, ms. */
const STORE_RETRY_MS = 5000;

/** None run yet. `mayReply`: whether tasks of an agent may turn out to be message-only replies. */
export function createDeliveries(parts: DeliveryParts, mayReply: (agent: string) => boolean): Deliveries {
  const closing = new AbortController();
  const running = new Map<string, { readonly abort: AbortController; readonly done: Promise<void> }>();

  /** A delivery ends by itself; what the store or the program throws is said, and it goes on from its cursor. */
  async function supervise(key: StreamKey, kept: KeptConfig, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      try {
        const found = await parts.records.get(holdKey(key, kept.config.id));
        if (found === undefined) return;
        const hold = JSON.parse(found.value) as Hold;
        return await deliver(parts, { key, kept, hold, version: found.version, mayReply: mayReply(key.agent), signal });
      } catch (error) {
        if (signal.aborted) return;
        parts.report(IasError.from(error), key);
        await parts.clock.sleep(STORE_RETRY_MS, signal);
      }
    }
  }

  return {
    get size() {
      return running.size;
    },
    launch(key, kept) {
      const name = holdKey(key, kept.config.id);
      const abort = new AbortController();
      const signal = AbortSignal.any([abort.signal, closing.signal]);
      const done = supervise(key, kept, signal).finally(() => {
        if (running.get(name)?.abort === abort) running.delete(name);
      });
      running.set(name, { abort, done });
    },
    async stop(key, id) {
      const delivery = running.get(holdKey(key, id));
      delivery?.abort.abort();
      await delivery?.done;
    },
    async [Symbol.asyncDispose]() {
      closing.abort();
      await Promise.all([...running.values()].map(({ done }) => done));
    },
  };
}
