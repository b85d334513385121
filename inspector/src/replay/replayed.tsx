import type { ComponentType, VNode } from "preact";
import type { TaskTab, TaskViewProps } from "../shell/task-tabs.ts";
import { NoReplay, ReplayBar } from "./bar.tsx";
import type { ReplaySession } from "./session.ts";

/** A view of a stream, and under it the bar of the replay, or why the view has none. */
export function Replayed({
  tab,
  view: View,
  replay,
}: {
  readonly tab: TaskTab;
  readonly view: ComponentType<TaskViewProps>;
  readonly replay: ReplaySession;
}): VNode {
  return (
    <div class="task-body">
      <View replay={replay} />
      {tab.now === undefined ? (
        <ReplayBar replay={replay} />
      ) : (
        <>
          <span class="grow" />
          <NoReplay replay={replay} why={tab.now} />
        </>
      )}
    </div>
  );
}
