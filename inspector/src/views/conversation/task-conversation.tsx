import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { TaskViewProps } from "../../shell/task-tabs.ts";
import { Problem } from "../../ui/problem.tsx";
import { Transcribed } from "./pane.tsx";
import { useActions } from "./use-actions.ts";
import "./talk.css";

/** So near to its end the page stays there as it grows, px. */
const NEAR_PX = 80;

/** One task's part of its conversation, up to where the replay stands. At its end what it asks can be answered here. */
export function TaskConversation({ replay }: TaskViewProps): VNode {
  const end = useRef<HTMLDivElement>(null);
  const wasNear = useRef(true);
  const isReplay = replay.seq.value !== undefined;
  const problem = useSignal<string | undefined>(undefined);
  const actions = useActions(replay.stream, problem, isReplay);
  const version = replay.shown.version.value;
  useEffect(() => {
    let before = 0;
    const look = (): void => {
      const { scrollHeight, scrollTop, clientHeight } = document.documentElement;
      const isNear = scrollHeight - scrollTop - clientHeight < NEAR_PX;
      // Only who goes up leaves the end: what came meanwhile does not.
      if (isNear || scrollTop < before) wasNear.current = isNear;
      before = scrollTop;
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
      <Transcribed stream={replay.shown} actions={actions} foot="none" />
      {problem.value !== undefined && <Problem title="That did not work">{problem.value}</Problem>}
      <div ref={end} class="task-talk-end" />
    </div>
  );
}
