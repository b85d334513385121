import type { VNode } from "preact";
import { useEffect, useMemo } from "preact/hooks";
import { tokensPerSecond } from "../../../../src/lib/liveness/liveness.ts";
import type { TaskSummary } from "../../../../src/lib/model/api.ts";
import { paths } from "../../router.ts";
import { agentName } from "../../state/server.ts";
import { openStream } from "../../state/stream.ts";
import { useTranscript } from "../../state/use-transcript.ts";
import { PhasePill } from "../../ui/phase.tsx";

/** A stream that runs: what it does, how fast, and its last words. */
export function LiveRow({ task }: { readonly task: TaskSummary }): VNode {
  const stream = useMemo(() => openStream(task.agent, task.task), [task.agent, task.task]);
  useEffect(() => () => stream.close(), [stream]);
  const transcript = useTranscript(stream);
  const last = transcript.blocks.findLast(({ kind }) => kind === "text");
  const words = last?.kind === "text" ? last.text.slice(-120) : "";
  const speaker = last?.kind === "text" && last.path !== "" ? `${last.path}: ` : "";
  const rate = tokensPerSecond(stream.liveness.value);
  return (
    <li>
      <a class="row-link live" href={paths.task(task.agent, task.task)}>
        <span class="who cut-text">{agentName(task.agent)}</span>
        <span class="what cut-text">{task.title ?? "…"}</span>
        <PhasePill phase={stream.phase.value} />
        <span class="small muted num when">{rate === undefined ? "" : `${Math.round(rate)} tok/s`}</span>
        <span class="tail small" aria-hidden="true">
          <span>
            {speaker}
            {words}
          </span>
        </span>
      </a>
    </li>
  );
}
