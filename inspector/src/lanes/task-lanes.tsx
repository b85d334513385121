import type { VNode } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { TaskSummary } from "../../../src/lib/model/api.ts";
import { ReplayBar } from "../replay/bar.tsx";
import { replayOf } from "../replay/session.ts";
import { navigate, paths } from "../router.ts";
import type { TaskViewProps } from "../shell/task-tabs.ts";
import { callApi } from "../state/call.ts";
import { pageNow } from "../state/frame.ts";
import { openStream, type StreamStore } from "../state/stream.ts";
import { createLanes } from "./model.ts";
import { LanesPlot } from "./plot.tsx";
import { clockOf } from "./skew.ts";

/** The tab Lanes: a task's agent and all who work for it, on one line of time. */
export function TaskLanes(props: TaskViewProps): VNode {
  return (
    <>
      <LanesOfStream {...props} />
      <span class="grow" />
      <ReplayBar {...props} />
    </>
  );
}

/** The lanes alone. */
export function LanesOfStream({ stream, at, moveTo }: TaskViewProps): VNode {
  const session = replayOf(stream, at, moveTo);
  const { lanes, members, now } = useMemo(() => {
    const all = createLanes();
    const clock = clockOf();
    const streams: StreamStore[] = [stream];
    return {
      lanes: all,
      members: { streams, clock },
      now: () => (streams.some(({ connection }) => connection.peek().kind === "open") ? clock.now(pageNow()) : undefined),
    };
  }, [stream]);

  useEffect(() => {
    const stops: (() => void)[] = [];
    const asked = new Set([stream.task]);
    const join = (one: StreamStore): void => {
      let index = 0;
      const read = (): void => {
        if (index > one.entries.length) index = 0;
        const more = one.entries.slice(index);
        for (const [offset, entry] of more.entries()) members.clock.see(entry.at, one.arrivals[index + offset] ?? entry.at);
        index = one.entries.length;
        if (more.length === 0) return;
        lanes.add({ agent: one.agent, task: one.task, context: one.context.peek() }, more);
        adopt();
      };
      stops.push(one.version.subscribe(read));
    };
    /** Tasks of other agents that this one asked: followed too, where this server has them. */
    const adopt = (): void => {
      if (stream.source === "file") return;
      for (const { lane } of lanes.list()) {
        if (!lane.isRemote || asked.has(lane.task)) continue;
        asked.add(lane.task);
        callApi<TaskSummary>(`/api/tasks/${encodeURIComponent(lane.task)}`).then(
          ({ agent, task }) => {
            const child = openStream(agent, task);
            members.streams.push(child);
            stops.push(() => child.close());
            join(child);
          },
          () => {
            // It is on another server: its lane says so.
          },
        );
      }
    };
    join(stream);
    return () => {
      for (const stop of stops) stop();
    };
  }, [stream, lanes, members]);

  const entryOf = (task: string, seq: number) => {
    const entries = members.streams.find((one) => one.task === task)?.entries ?? [];
    const place = seq - (entries[0]?.seq ?? 1);
    return entries[place]?.seq === seq ? entries[place] : entries.find((entry) => entry.seq === seq);
  };
  return (
    <LanesPlot
      lanes={lanes}
      now={now}
      at={session.time}
      entryOf={entryOf}
      hrefOf={(lane) => paths.task(lane.task === stream.task ? stream.agent : lane.agent, lane.task, { view: "lanes" })}
      onPick={(lane, seq) => {
        if (lane.task === stream.task) navigate(paths.task(stream.source === "file" ? "~file" : stream.agent, stream.task, { view: "frames", at: seq }));
        else navigate(paths.task(lane.agent, lane.task, { view: "frames", at: seq }));
      }}
    />
  );
}
