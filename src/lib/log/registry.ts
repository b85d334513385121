import type { StreamKey } from "../model/key.ts";
import { sameKey } from "./admission.ts";

/** Finds streams by key without building a string: by task id, then along those of the same id. */
export interface Registry<S extends { readonly key: StreamKey }> {
  get(key: StreamKey): S | undefined;
  add(stream: S): void;
  remove(stream: S): void;
  all(): Iterable<S>;
  readonly size: number;
}

/** An empty registry. */
export function createRegistry<S extends { readonly key: StreamKey }>(): Registry<S> {
  const byTask = new Map<string, S>();
  /** Streams whose task id another owner's stream has too: very few. */
  const others = new Map<string, S[]>();

  return {
    get(key) {
      const first = byTask.get(key.task);
      if (first === undefined || sameKey(first.key, key)) return first;
      return others.get(key.task)?.find((stream) => sameKey(stream.key, key));
    },
    add(stream) {
      const { task } = stream.key;
      if (!byTask.has(task)) byTask.set(task, stream);
      else others.set(task, [...(others.get(task) ?? []), stream]);
    },
    remove(stream) {
      const { task } = stream.key;
      const rest = (others.get(task) ?? []).filter((other) => other !== stream);
      if (byTask.get(task) === stream) {
        const next = rest.shift();
        if (next === undefined) byTask.delete(task);
        else byTask.set(task, next);
      }
      if (rest.length === 0) others.delete(task);
      else others.set(task, rest);
    },
    *all() {
      yield* byTask.values();
      for (const list of others.values()) yield* list;
    },
    get size() {
      return byTask.size + others.size;
    },
  };
}
