import { IasError } from "../model/errors.ts";
import type { Principal, StreamKey } from "../model/key.ts";
import type { ReaderRegistry } from "./api-parts.ts";

type Reader = Parameters<ReaderRegistry["enter"]>[0] & { readonly since: number };

/** The readers of this process, by tenant and user so that listing asks no others. */
export function createReaderRegistry(options: { readonly maxReaders: number; readonly now: () => number }): ReaderRegistry {
  const byCaller = new Map<string, Set<Reader>>();
  let size = 0;
  return {
    admit() {
      if (size < options.maxReaders) {
        size += 1;
        return once(() => (size -= 1));
      }
      throw new IasError("limit-reached", `${size} streams are open (maxReaders); try again in a moment.`, {
        reason: "TOO_MANY_READERS",
        retryable: true,
        retryAfterMs: 1000,
      });
    },
    enter(reader) {
      const caller = callerOf(reader.key);
      const entered: Reader = { ...reader, since: options.now() };
      const readers = byCaller.get(caller) ?? new Set();
      byCaller.set(caller, readers.add(entered));
      return once(() => {
        readers.delete(entered);
        if (readers.size === 0 && byCaller.get(caller) === readers) byCaller.delete(caller);
      });
    },
    list(principal, task) {
      const readers = [...(byCaller.get(callerOf(principal)) ?? [])].filter(({ key }) => task === undefined || key.task === task);
      return readers.map(({ key, transport, audience, since, at }) => ({ key, agent: key.agent, task: key.task, transport, audience, since, seq: at() }));
    },
  };
}

function once(leave: () => void): Disposable {
  let left = false;
  return {
    [Symbol.dispose]() {
      if (!left) leave();
      left = true;
    },
  };
}

function callerOf({ tenant, user }: Pick<StreamKey, "tenant" | "user"> | Principal): string {
  return JSON.stringify([tenant, user]);
}
