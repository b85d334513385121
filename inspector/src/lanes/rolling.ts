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
  const frames: { readonly frame: FeedFrame; readonly size: number }[] = [];
  let count = 0;
  let chars = 0;
  return {
    add(frame, size) {
      frames.push({ frame, size });
      count += frame.entries.length;
      chars += size;
      while (count > maxEntries || chars > maxChars) {
        const dropped = frames.shift();
        count -= dropped?.frame.entries.length ?? count;
        chars -= dropped?.size ?? chars;
      }
    },
    // Only for what is under the pointer, so it costs nothing while entries come.
    get: (task, seq) =>
      frames.findLast(({ frame }) => frame.task === task && frame.entries.some((entry) => entry.seq === seq))?.frame.entries.find((entry) => entry.seq === seq),
    get entries() {
      return count;
    },
    get chars() {
      return chars;
    },
  };
}
