import type { ReadonlySignal } from "@preact/signals";
import type { VNode } from "preact";
import type { Phase } from "../../../../src/lib/liveness/liveness.ts";
import { paths } from "../../router.ts";
import type { LiveTask } from "../../state/live.ts";
import { agentName } from "../../state/server.ts";
import { PhasePill } from "../../ui/phase.tsx";

/**
 * A stream that runs: what it does, how fast, and its last words. Drawn once; what changes with each token are the texts of two nodes, which are bound to their
 * signals.
 */
export function LiveRow({ task }: { readonly task: LiveTask }): VNode {
  return (
    <li class="live-row">
      <a class="row-link live" href={paths.task(task.agent, task.task)}>
        <span class="who cut-text">{agentName(task.agent)}</span>
        <span class="what cut-text">{task.title}</span>
        <LivePhase phase={task.phase} />
        <span class="small muted num when">{task.rate}</span>
        <span class="tail small" aria-hidden="true">
          <span>{task.words}</span>
        </span>
      </a>
    </li>
  );
}

function LivePhase({ phase }: { readonly phase: ReadonlySignal<Phase> }): VNode {
  return <PhasePill phase={phase.value} />;
}
