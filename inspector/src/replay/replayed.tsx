import type { ComponentType, VNode } from "preact";
import type { TaskTab, TaskViewProps } from "../shell/task-tabs.ts";
import { Problem } from "../ui/problem.tsx";
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
      {replay.isGone.value && tab.id !== "frames" && tab.now === undefined ? <Gone replay={replay} /> : <View replay={replay} />}
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

/** The moment is one that the page has let go. */
function Gone({ replay }: { readonly replay: ReplaySession }): VNode {
  return (
    <div class="page">
      <Problem title={`Entry ${replay.seq.value ?? 0} is not kept in this page any more`} action={{ label: "Load it again", run: () => location.reload() }}>
        Of a long stream the page keeps the newest entries, here from {replay.stream.entries[0]?.seq} on. Loaded again, it reads up to this moment and holds it.
      </Problem>
    </div>
  );
}
