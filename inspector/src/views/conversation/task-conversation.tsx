import type { VNode } from "preact";
import type { TaskViewProps } from "../../shell/task-tabs.ts";

/** One task's part of its conversation. */
export function TaskConversation({ stream }: TaskViewProps): VNode {
  void stream.version.value;
  return <div class="page">{stream.entries.length}</div>;
}
