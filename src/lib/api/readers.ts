import { IasError } from "../model/errors.ts";
import type { Principal, StreamKey } from "../model/key.ts";
import type { Limits } from "../model/limits.ts";
import { createPlaces } from "../stream/places.ts";
import type { ReaderRegistry } from "./api-parts.ts";

type Reader = Parameters<ReaderRegistry["enter"]>[0] & { readonly since: number };

/** The readers of this process, by tenant and user so that listing asks no others. */
export function createReaderRegistry(options: Pick<Limits, "maxReaders" | "maxReadersPerUser"> & { readonly now: () => number }): ReaderRegistry {
  const byCaller = new Map<string, Set<Reader>>();
  const places = createPlaces({ max: options.maxReaders, perOwner: options.maxReadersPerUser, refuse: tooMany });
  return {
    admit: (principal) => places.take(callerOf(principal)),
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

function tooMany(open: number, of: "all" | "owner"): IasError {
  const limit = of === "all" ? "maxReaders" : "of this user, maxReadersPerUser";
  return new IasError("limit-reached", `${open} streams are open (${limit}); try again in a moment.`, {
    reason: "TOO_MANY_READERS",
    retryable: true,
    retryAfterMs: 1000,
  });
}

function callerOf({ tenant, user }: Pick<StreamKey, "tenant" | "user"> | Principal): string {
  return JSON.stringify([tenant, user]);
}
