import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { FeedFrame } from "../../../src/lib/model/api.ts";
import { navigate, paths } from "../router.ts";
import { serverNow } from "../state/clock.ts";
import { type Feed, followAll } from "../state/feed.ts";
import { Problem } from "../ui/problem.tsx";
import { FEED_LANE_LIMITS } from "./limits.ts";
import { createLanes, type Lanes } from "./model.ts";
import { LanesPlot } from "./plot.tsx";
import { createRecent, makeRoom } from "./rolling.ts";
import { type EntryClock, clockOf } from "./skew.ts";

/** All live streams of the caller as lanes: one connection, whatever their number, and bounded memory, however long they go on. */
export function AllLanes(): VNode {
  const lanes = useMemo(() => createLanes({ limits: FEED_LANE_LIMITS }), []);
  /** Of one log: they begin anew with another. */
  const known = useMemo(() => ({ clock: clockOf(), recent: createRecent() }), []);
  const feed = useSignal<Feed | undefined>(undefined);
  const count = useSignal(0);
  useEffect(() => {
    const followed = followAll({
      take(frame) {
        takeFrame(frame, lanes, known.clock);
        known.recent.add(frame);
        makeRoom(lanes);
        count.value = lanes.list().length;
      },
      restart() {
        for (const { lane } of lanes.list()) lanes.remove(lane.task);
        known.clock = clockOf();
        known.recent = createRecent();
        count.value = 0;
      },
    });
    feed.value = followed;
    return () => followed.close();
  }, [lanes, known, feed, count]);
  const now = useMemo(() => () => (feed.peek()?.state.peek() === "open" ? known.clock.now(serverNow()) : undefined), [known, feed]);
  const trouble = feed.value?.trouble.value;
  return (
    <div class="task-body lanes-all">
      <h1 class="sr">Live lanes</h1>
      {trouble !== undefined && (
        <div class="page">
          <Problem title="The streams cannot be followed just now">{trouble}</Problem>
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
          entryOf={(task, seq) => known.recent.get(task, seq)}
          hrefOf={(lane) => paths.task(rootAgent(lanes, lane.task) ?? lane.agent, lane.task, { view: "lanes" })}
          onPick={(lane, seq) => navigate(paths.task(rootAgent(lanes, lane.task) ?? lane.agent, lane.task, { view: "frames", at: seq }))}
        />
      </div>
    </div>
  );
}

function takeFrame({ agent, task, context, entries }: FeedFrame, lanes: Lanes, clock: EntryClock): void {
  const arrived = serverNow();
  for (const { at } of entries) clock.see(at, arrived);
  lanes.add({ agent, task, context }, entries);
}

function rootAgent(lanes: Lanes, task: string): string | undefined {
  return lanes.list().find(({ lane }) => lane.id === task)?.lane.agent;
}
