import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { TaskViewProps } from "../../shell/task-tabs.ts";
import { Transcribed } from "./pane.tsx";
import "./talk.css";

const READ_ONLY = {};
/** So near to its end the page stays there as it grows, px. */
const NEAR_PX = 80;

/** One task's part of its conversation, up to where the replay stands. */
export function TaskConversation({ replay }: TaskViewProps): VNode {
  const end = useRef<HTMLDivElement>(null);
  const wasNear = useRef(true);
  const isReplay = replay.seq.value !== undefined;
  const version = replay.shown.version.value;
  useEffect(() => {
    const look = (): void => {
      const { scrollHeight, scrollTop, clientHeight } = document.documentElement;
      wasNear.current = scrollHeight - scrollTop - clientHeight < NEAR_PX;
    };
    document.addEventListener("scroll", look, { passive: true });
    return () => document.removeEventListener("scroll", look);
  }, []);
  // The moment that a replay shows is at the end of what was said; of what goes on the end is followed by who is there.
  useEffect(() => {
    if (isReplay || wasNear.current) end.current?.scrollIntoView({ block: "end" });
  }, [isReplay, version]);
  return (
    <div class="page task-talk">
      <Transcribed stream={replay.shown} actions={READ_ONLY} />
      <div ref={end} class="task-talk-end" />
    </div>
  );
}
