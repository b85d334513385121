import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { tokensPerSecond } from "../../../src/lib/liveness/liveness.ts";
import { isTerminal } from "../../../src/lib/model/a2a.ts";
import { messageOf } from "../../../src/lib/model/errors.ts";
import { useReplay } from "../replay/use-replay.ts";
import { paths } from "../router.ts";
import { countOf } from "../state/figures.ts";
import { FILE_AGENT, heldFile, heldProblem } from "../state/held-file.ts";
import { agentName } from "../state/server.ts";
import { cancelTask } from "../state/steer.ts";
import { openStream, type StreamStore } from "../state/stream.ts";
import { countWords, stateWords } from "../state/words.ts";
import { Icon } from "../ui/icon.tsx";
import { PhasePill } from "../ui/phase.tsx";
import { Problem } from "../ui/problem.tsx";
import { StreamViews, tabOf } from "./stream-views.tsx";
import { TASK_TABS } from "./task-tabs.ts";

/** A task: what it is, and its stream in one of several views. */
export function TaskPage({ agent, task, view }: { readonly agent: string; readonly task: string; readonly view: string }): VNode {
  const stream = useStream(agent, task);
  if (stream === undefined)
    return (
      <div class="page">
        <Problem title="This file is not open any more">
          A stream of a file lives only in the page that opened it. Import it again from <a href={paths.home}>the start</a>.
        </Problem>
      </div>
    );
  return <OpenTask stream={stream} view={view} />;
}

function OpenTask({ stream, view }: { readonly stream: StreamStore; readonly view: string }): VNode {
  const replay = useReplay(stream);
  const tab = tabOf(TASK_TABS, view);
  return (
    <>
      <Head stream={tab?.now === undefined ? replay.shown : stream} all={stream} />
      {stream.source === "file" && heldProblem.value !== undefined && (
        <p class="banner" role="status">
          {heldProblem.value}
        </p>
      )}
      <StreamViews tabs={TASK_TABS} view={view} replay={replay} of="task" hasKeys />
    </>
  );
}

function useStream(agent: string, task: string): StreamStore | undefined {
  const [opened, setOpened] = useState<StreamStore>();
  const file = agent === FILE_AGENT ? heldFile.value : undefined;
  const held = useMemo(() => (agent === FILE_AGENT ? file : openStream(agent, task)), [agent, task, file]);
  useEffect(() => {
    setOpened(held);
    return () => held?.close();
  }, [held]);
  return opened ?? held;
}

/** Cancels what goes on or waits, from any view of it. */
function CancelButton({ stream }: { readonly stream: StreamStore }): VNode | null {
  const problem = useSignal<string | undefined>(undefined);
  const state = stream.state.value;
  if (stream.source === "file" || state === undefined || isTerminal(state)) return null;
  const cancel = (): void => {
    problem.value = undefined;
    cancelTask(stream.agent, stream.task).catch((error: unknown) => (problem.value = messageOf(error)));
  };
  return (
    <>
      <button type="button" class="small" onClick={cancel}>
        <Icon name="stop" size={16} /> Cancel
      </button>
      {problem.value !== undefined && (
        <span class="small" role="alert">
          {problem.value}
        </span>
      )}
    </>
  );
}

/** What a stream amounts to where its replay stands; `all` is the whole of it. */
function Head({ stream, all }: { readonly stream: StreamStore; readonly all: StreamStore }): VNode {
  const { agent, task } = stream;
  const { tokens } = stream.liveness.value;
  const rate = tokensPerSecond(stream.liveness.value);
  const context = stream.context.value;
  // Of what is not here there is nothing to say.
  const isUnknown = all.connection.value.kind === "failed" && all.entries.length === 0;
  // The number of entries changes with it.
  void stream.version.value;
  return (
    <header class="task-head">
      <div class="row wrap">
        <h1 class="cut-text">{agentName(agent)}</h1>
        {!isUnknown && <PhasePill phase={stream.phase.value} />}
        <span class="muted small">{stateWords(stream.state.value)}</span>
        <CancelButton stream={all} />
      </div>
      <div class="facts">
        <span class="mono cut-text" title="The task's id">
          {task}
        </span>
        {!isUnknown && (
          <>
            <span class="num">
              {stream.entries.length === all.entries.length ? "" : `${countOf(stream)} of `}
              {countOf(all)} entries
            </span>
            <span class="num">{countWords(tokens, "token")}</span>
            <span class="num">{rate === undefined ? "" : `${rate.toFixed(rate < 10 ? 1 : 0)} tokens/s`}</span>
          </>
        )}
        {/* It has its place before its address is known. */}
        {stream.source === "server" && (
          <a href={paths.talk(agent, context)} style={{ visibility: context === "" ? "hidden" : "visible" }}>
            Open the conversation
          </a>
        )}
      </div>
    </header>
  );
}
