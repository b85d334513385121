import { computed, type ReadonlySignal } from "@preact/signals";
import type { TaskState } from "../../../src/lib/model/a2a.ts";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { createFold } from "../../../src/lib/model/fold.ts";
import { createFiguresBook } from "../state/figures.ts";
import type { StreamStore } from "../state/stream.ts";
import { type Heard, phaseHeard } from "../state/verdict.ts";

/** Where a replay stands: the first `count` entries have come, and it is `time`, ms since the epoch by the entries' clock. */
export interface Moment {
  readonly count: number;
  readonly time: number;
}

/**
 * The stream up to a moment, as if it had gone no further: entries, state, phase and numbers. Without a moment it is the stream itself. Whoever reads it
 * does so as any stream: with an index of its own, anew where `generation` changes, which it does when the moment steps back. Times are the entries' own.
 */
export function createShown(stream: StreamStore, moment: ReadonlySignal<Moment | undefined>): StreamStore {
  /** The first entries, while there is a moment; always a beginning of `stream.entries`. */
  const prefix: StreamEntry[] = [];
  const times: number[] = [];
  let book = createFiguresBook(stream.before.peek());
  let version = 0;
  let generation = 0;
  let whole = stream.generation.peek();
  /** How many entries readers may have seen since `generation`. */
  let given = 0;

  const now = computed(() => {
    void stream.version.value;
    const at = moment.value;
    if (whole !== stream.generation.value) {
      whole = stream.generation.value;
      book = createFiguresBook(stream.before.value);
      prefix.length = 0;
      times.length = 0;
      given = Number.POSITIVE_INFINITY;
    }
    const { entries } = stream;
    const count = Math.min(entries.length, at?.count ?? entries.length);
    if (count < given) generation += 1;
    given = count;
    version += 1;
    const length = at === undefined ? 0 : count;
    prefix.length = Math.min(prefix.length, length);
    times.length = prefix.length;
    for (let place = prefix.length; place < length; place += 1) {
      const entry = entries[place];
      if (entry === undefined) break;
      prefix.push(entry);
      times.push(entry.at);
    }
    return { version, generation, figures: at === undefined ? undefined : book.at(entries, count, at.time) };
  });
  const live = <T>(pick: (figures: Heard & { readonly state: TaskState | undefined }) => T, own: ReadonlySignal<T>): ReadonlySignal<T> =>
    computed(() => {
      const { figures } = now.value;
      return figures === undefined ? own.value : pick(figures);
    });
  const isLive = (): boolean => now.peek().figures === undefined;

  return {
    ...stream,
    get entries() {
      return isLive() ? stream.entries : prefix;
    },
    get arrivals() {
      return isLive() ? stream.arrivals : times;
    },
    version: computed(() => now.value.version),
    generation: computed(() => now.value.generation),
    liveness: live(({ liveness }) => liveness, stream.liveness),
    phase: live(phaseHeard, stream.phase),
    state: live(({ state }) => state, stream.state),
    fold() {
      if (isLive()) return stream.fold();
      const fold = createFold();
      const snapshot = stream.snapshot.peek();
      if (snapshot !== undefined) fold.restore(snapshot, Math.max(1, (prefix[0]?.seq ?? 1) - 1));
      for (const entry of prefix) fold.apply({ ...entry, seq: fold.seq + 1, event: "" }, entry.event);
      return fold.task();
    },
    close: () => {
      // Whoever opened the stream closes it.
    },
  };
}
