import type { VNode } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import type { TaskSummaryPage } from "../../../src/lib/model/api.ts";
import type { ReplaySession } from "../replay/session.ts";
import { navigate, paths } from "../router.ts";
import type { TaskViewProps } from "../shell/task-tabs.ts";
import { callApi } from "../state/call.ts";
import { serverNow } from "../state/clock.ts";
import { FILE_AGENT } from "../state/held-file.ts";
import { openStream, type StreamStore } from "../state/stream.ts";
import { createFamily, createPastLanes } from "./family.ts";
import { LanesPlot } from "./plot.tsx";

/** The tab Lanes: a task's agent and all who work for it, on one line of time. What is after the replay's moment is dimmed, and not in the numbers. */
export function TaskLanes({ replay }: TaskViewProps): VNode {
  return (
    <>
      <LanesOfStream stream={replay.stream} replay={replay} />
      <span class="grow" />
    </>
  );
}

/** The lanes alone; without a replay as they are now. */
export function LanesOfStream({ stream, replay }: { readonly stream: StreamStore; readonly replay?: ReplaySession }): VNode {
  const { family, past, now } = useMemo(() => {
    const made = createFamily(stream);
    const { streams, clock } = made;
    const present = () => (streams.some(({ connection }) => connection.peek().kind === "open") ? clock.now(serverNow()) : undefined);
    return { family: made, past: createPastLanes(), now: present };
  }, [stream]);
  useEffect(() => family.follow(stream.source === "file" ? undefined : findStream), [family, stream]);

  const agent = stream.source === "file" ? FILE_AGENT : stream.agent;
  const agentOf = (task: string, given: string): string => (task === stream.task ? agent : given);
  return (
    <LanesPlot
      lanes={family.lanes}
      now={now}
      {...(replay !== undefined && {
        at: replay.time,
        onSeek: replay.seekTime,
        past: (time: number) => past.at(replay.shown, family.streams.slice(1), time),
      })}
      entryOf={family.entryOf}
      hrefOf={(lane) => paths.task(agentOf(lane.task, lane.agent), lane.task, { view: "lanes" })}
      onPick={(lane, seq) => navigate(paths.task(agentOf(lane.task, lane.agent), lane.task, { view: "frames", at: seq }))}
    />
  );
}

/** The stream of a task of any agent of this server; undefined for one that is elsewhere. Asked as a list: a browser takes an answer of 404 for an error of the page. */
async function findStream(task: string): Promise<StreamStore | undefined> {
  const { tasks } = await callApi<TaskSummaryPage>("/api/tasks", { query: { task } });
  const [found] = tasks;
  return found === undefined ? undefined : openStream(found.agent, found.task);
}
