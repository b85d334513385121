import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { FeedFrame, StreamEntry } from "../../../src/lib/model/api.ts";
import { navigate, paths } from "../router.ts";
import { pageNow } from "../state/frame.ts";
import { Problem } from "../ui/problem.tsx";
import { type Feed, followFeed } from "./feed.ts";
import { createLanes, type Lanes } from "./model.ts";
import { LanesPlot } from "./plot.tsx";
import { type EntryClock, clockOf } from "./skew.ts";

/** More lanes are not kept: the oldest of those that are over go. */
const MAX_LANES = 120;
/** Single tokens that a lane keeps; older ones are drawn by the second. */
const MAX_TICKS = 4096;
/** Entries at hand for the pointer. */
const MAX_ENTRIES = 4000;

/** All live streams of the caller as lanes: one connection, whatever their number, and bounded memory, however long they go on. */
export function AllLanes(): VNode {
  const { lanes, clock, recent } = useMemo(() => ({ lanes: createLanes({ maxTicks: MAX_TICKS }), clock: clockOf(), recent: createRecent() }), []);
  const feed = useSignal<Feed | undefined>(undefined);
  const count = useSignal(0);
  useEffect(() => {
    const followed = followFeed((frame) => {
      takeFrame(frame, lanes, clock);
      recent.add(frame);
      if (lanes.list().length > MAX_LANES) forget(lanes);
      count.value = lanes.list().length;
    });
    feed.value = followed;
    return () => followed.close();
  }, [lanes, clock, recent, feed, count]);
  const now = useMemo(() => () => (feed.peek()?.state.peek() === "open" ? clock.now(pageNow()) : undefined), [clock, feed]);
  const trouble = feed.value?.trouble.value;
  return (
    <div class="task-body lanes-all">
      <h1 class="sr">Live lanes</h1>
      {trouble !== undefined && (
        <div class="page">
          <Problem title="The streams cannot be followed just now">{trouble} It is tried again by itself.</Problem>
        </div>
      )}
      {count.value === 0 && (
        <p class="lanes-empty muted">
          {feed.value?.state.value === "open" ? (
            <>
              Nothing runs. <a href={paths.home}>Ask an agent something</a>, and its lane appears here.
            </>
          ) : (
            "Connecting…"
          )}
        </p>
      )}
      <div hidden={count.value === 0}>
        <LanesPlot
          lanes={lanes}
          now={now}
          entryOf={recent.get}
          hrefOf={(lane) => paths.task(rootAgent(lanes, lane.task) ?? lane.agent, lane.task, { view: "lanes" })}
          onPick={(lane, seq) => navigate(paths.task(rootAgent(lanes, lane.task) ?? lane.agent, lane.task, { view: "frames", at: seq }))}
        />
      </div>
    </div>
  );
}

function takeFrame({ agent, task, context, entries }: FeedFrame, lanes: Lanes, clock: EntryClock): void {
  const arrived = pageNow();
  for (const { at } of entries) clock.see(at, arrived);
  lanes.add({ agent, task, context }, entries);
}

/** The oldest of what is over makes room. */
function forget(lanes: Lanes): void {
  const over = lanes
    .list()
    .filter(({ lane }) => lane.path.length === 0 && lane.isOver)
    .sort((a, b) => a.lane.lastAt - b.lane.lastAt);
  for (const { lane } of over) {
    if (lanes.list().length <= MAX_LANES) return;
    lanes.remove(lane.task);
  }
}

function rootAgent(lanes: Lanes, task: string): string | undefined {
  return lanes.list().find(({ lane }) => lane.id === task)?.lane.agent;
}

/** The newest entries of all streams. */
function createRecent() {
  const kept = new Map<string, StreamEntry>();
  return {
    add({ task, entries }: FeedFrame): void {
      for (const entry of entries) kept.set(`${task} ${entry.seq}`, entry);
      for (const key of kept.keys()) {
        if (kept.size <= MAX_ENTRIES) break;
        kept.delete(key);
      }
    },
    get: (task: string, seq: number): StreamEntry | undefined => kept.get(`${task} ${seq}`),
  };
}
