import type { FeedFrame, StreamEntry } from "../../../src/lib/model/api.ts";
import { weigh } from "../state/weigh.ts";
import type { Lanes } from "./model.ts";

/** How much the lanes of all streams keep, however long they are looked at. */
export interface RollingLimits {
  /** Beyond so many lanes those that are over go, the oldest first. */
  readonly maxLanes: number;
  /** Beyond so many those go that were quiet the longest, over or not: with its next entry such a lane begins again. */
  readonly maxLiveLanes: number;
  /** The newest entries, at hand for the pointer: so many, and about so much memory. */
  readonly maxEntries: number;
  readonly maxBytes: number;
}

/** The defaults: 120 lanes, 400 that live, 4,000 entries in 8 MiB. */
export const ROLLING_LIMITS: RollingLimits = { maxLanes: 120, maxLiveLanes: 400, maxEntries: 4000, maxBytes: 8 * 1024 * 1024 };

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
  add(frame: FeedFrame): void;
  get(task: string, seq: number): StreamEntry | undefined;
  /** What is kept. */
  readonly entries: number;
  readonly bytes: number;
}

/** None yet. What goes beyond a limit goes by whole frames, the oldest first. */
export function createRecent({ maxEntries, maxBytes }: RollingLimits = ROLLING_LIMITS): Recent {
  const frames: { readonly frame: FeedFrame; readonly size: number }[] = [];
  let count = 0;
  let bytes = 0;
  return {
    add(frame) {
      const size = frame.entries.reduce((sum, entry) => sum + weigh(entry), 0);
      frames.push({ frame, size });
      count += frame.entries.length;
      bytes += size;
      while (count > maxEntries || bytes > maxBytes) {
        const dropped = frames.shift();
        count -= dropped?.frame.entries.length ?? count;
        bytes -= dropped?.size ?? bytes;
      }
    },
    // Only for what is under the pointer, so it costs nothing while entries come.
    get: (task, seq) =>
      frames.findLast(({ frame }) => frame.task === task && frame.entries.some((entry) => entry.seq === seq))?.frame.entries.find((entry) => entry.seq === seq),
    get entries() {
      return count;
    },
    get bytes() {
      return bytes;
    },
  };
}
