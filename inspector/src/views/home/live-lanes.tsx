import type { VNode } from "preact";
import { paths } from "../../router.ts";
import type { LiveTasks } from "../../state/live.ts";
import { LiveRow } from "./live-row.tsx";

/** All live streams. */
export function LiveLanes({ tasks }: { readonly tasks: LiveTasks }): VNode {
  const live = tasks.live.value;
  return (
    <div class="page">
      <h1>Live lanes</h1>
      {live?.length === 0 ? (
        <p class="muted">
          Nothing runs. <a href={paths.home}>Ask an agent something</a>, and its lane appears here.
        </p>
      ) : (
        <ul class="rows">
          {live?.map((task) => (
            <LiveRow key={task.task} task={task} />
          ))}
        </ul>
      )}
    </div>
  );
}
