import type { FeedFrame, StreamEntry } from "../../../src/lib/model/api.ts";
import type { Lanes } from "./model.ts";

/** How much the lanes of all streams keep, however long they are looked at. */
export interface RollingLimits {
  /** Beyond so many lanes those that are over go, the oldest first. */
  readonly maxLanes: number;
  /** Beyond so many those go that were quiet the longest, over or not: with its next entry such a lane begins again. */
  readonly maxLiveLanes: number;
  /** The newest entries, at hand for the pointer: so many, and so many UTF-16 units of JSON. */
  readonly maxEntries: number;
  readonly maxChars: number;
}

/** The defaults: 120 lanes, 400 that live, 4,000 entries in 4 Mi characters. */
export const ROLLING_LIMITS: RollingLimits = { maxLanes: 120, maxLiveLanes: 400, maxEntries: 4000, maxChars: 4 * 1024 * 1024 };

/** Removes whole tasks, with their children, until there is room. */
export function makeRoom(lanes: Lanes, { maxLanes, maxLiveLanes }: RollingLimits = ROLLING_LIMITS): void {
  const { length } = lanes.list();
  if (length <= maxLanes) return;
  const roots = lanes.list().filter(({ lane }) => lane.path.length === 0);
  if (length <= maxLiveLanes && !roots.some(({ lane }) => lane.isOver)) return;
  const byAge = roots.toSorted((a, b) => a.lane.lastAt - b.lane.lastAt);
  for (const { lane } of byAge) if (lane.isOver && lanes.list().length > maxLanes) lanes.remove(lane.task);
  for (const { lane } of byAge) if (!lane.isOver && lanes.list().length > maxLiveLanes) lanes.remove(lane.task);
}

/** The newest entries of all streams. */
export interface Recent {
  /** Takes a frame; `size` is its JSON's, UTF-16 units. */
  add(frame: FeedFrame, size: number): void;
  get(task: string, seq: number): StreamEntry | undefined;
  /** What is kept. */
  readonly entries: number;
  readonly chars: number;
}

/** None yet. What goes beyond a limit goes by whole frames, the oldest first. */
export function createRecent({ maxEntries, maxChars }: RollingLimits = ROLLING_LIMITS): Recent {
  const kept = new Map<string, StreamEntry>();
  const frames: { readonly keys: readonly string[]; readonly size: number }[] = [];
  /** The first frame that is still kept. */
  let first = 0;
  let chars = 0;

  const dropFirst = (): void => {
    const frame = frames[first];
    first += 1;
    if (frame === undefined) return;
    chars -= frame.size;
    for (const key of frame.keys) kept.delete(key);
    if (first * 2 < frames.length) return;
    frames.splice(0, first);
    first = 0;
  };
  return {
    add({ task, entries }, size) {
      const keys = entries.map(({ seq }) => `${task} ${seq}`);
      for (const [index, entry] of entries.entries()) kept.set(keys[index] ?? "", entry);
      frames.push({ keys, size });
      chars += size;
      while (first < frames.length && (kept.size > maxEntries || chars > maxChars)) dropFirst();
    },
    get: (task, seq) => kept.get(`${task} ${seq}`),
    get entries() {
      return kept.size;
    },
    get chars() {
      return chars;
    },
  };
}
