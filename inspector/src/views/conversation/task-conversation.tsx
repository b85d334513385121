import type { VNode } from "preact";
import type { TaskViewProps } from "../../shell/task-tabs.ts";
import { Transcribed } from "./pane.tsx";
import "./talk.css";

const READ_ONLY = {};

/** One task's part of its conversation, as of the entry that the address names. */
export function TaskConversation({ stream, at }: TaskViewProps): VNode {
  const seq = at.value;
  return (
    <div class="page">
      <Transcribed stream={stream} actions={READ_ONLY} {...(seq !== undefined && { at: seq })} />
    </div>
  );
}
