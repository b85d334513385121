import type { VNode } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { Message } from "../../../../src/lib/model/a2a.ts";
import type { IasError } from "../../../../src/lib/model/errors.ts";
import { paths } from "../../router.ts";
import type { Conversation, Turn } from "../../state/conversation.ts";
import { countOf } from "../../state/figures.ts";
import { agentName, agents } from "../../state/server.ts";
import type { StreamStore } from "../../state/stream.ts";
import { useTranscript } from "../../state/use-transcript.ts";
import { Parts } from "../../ui/parts.tsx";
import { PhasePill } from "../../ui/phase.tsx";
import { Problem } from "../../ui/problem.tsx";
import { type BlockActions, Blocks, Said } from "./blocks.tsx";

/** A conversation with one agent, as it goes on. */
export function Pane(props: {
  readonly conversation: Conversation;
  readonly example: (text: string) => void;
  readonly edit: (message: Message) => void;
}): VNode {
  const { conversation, example, edit } = props;
  const turns = conversation.turns.value;
  const pending = conversation.pending.value;
  const problem = conversation.problem.value;
  const isEmpty = turns.length === 0 && pending.length === 0 && !conversation.loading.value;
  const scroller = useStickToEnd();
  return (
    <div class="pane-scroll" ref={scroller} tabIndex={0} role="region" aria-label={`What was said: ${agentName(conversation.agent)}`}>
      <div class="pane-talk" aria-live="off">
        {conversation.hasEarlier.value && (
          <button type="button" onClick={() => void conversation.earlier()}>
            Earlier
          </button>
        )}
        {isEmpty && <Empty agent={conversation.agent} example={example} />}
        {turns.map((turn) => (
          <OneTurn key={turn.kind === "task" ? turn.stream.task : turn.answer.messageId} turn={turn} conversation={conversation} edit={edit} />
        ))}
        <Waiting turns={turns} conversation={conversation} edit={edit} />
        {problem !== undefined && (
          <Problem title="That did not work">
            {problem.message}
            {retryWords(problem)}
          </Problem>
        )}
      </div>
    </div>
  );
}

function OneTurn({ turn, conversation, edit }: { readonly turn: Turn; readonly conversation: Conversation; readonly edit: (message: Message) => void }): VNode {
  if (turn.kind === "task") return <TaskTurn stream={turn.stream} conversation={conversation} edit={edit} />;
  return (
    <section class="turn">
      <Said message={turn.said} edit={edit} />
      <div class="said agent">
        <Parts parts={turn.answer.parts} />
      </div>
    </section>
  );
}

function TaskTurn({
  stream,
  conversation,
  edit,
}: {
  readonly stream: StreamStore;
  readonly conversation: Conversation;
  readonly edit: (message: Message) => void;
}): VNode {
  const actions = useMemo<BlockActions>(
    () => ({
      edit,
      approve: (call, approve) => conversation.approve(stream, call, approve),
      answer: conversation.answer,
    }),
    [stream, conversation, edit],
  );
  return <Transcribed stream={stream} actions={actions} />;
}

/** One task: what was said and done, and what it does now. */
export function Transcribed(props: {
  readonly stream: StreamStore;
  readonly actions: BlockActions;
  /** `none` where the page says already what the task does. */
  readonly foot?: "none";
}): VNode {
  const { stream, actions, foot } = props;
  const transcript = useTranscript(stream);
  const phase = stream.phase.value;
  const connection = stream.connection.value;
  return (
    <section class="turn" data-task={stream.task}>
      <Blocks transcript={transcript} version={stream.version.value} actions={actions} />
      {transcript.state === "TASK_STATE_COMPLETED" && transcript.blocks.every(({ kind }) => kind === "user") && (
        <p class="event">The agent ended without a word.</p>
      )}
      {foot !== "none" && (
        <footer class="turn-foot">
          {connection.kind === "failed" ? (
            <span class="bad">{connection.why}</span>
          ) : (
            <>
              {connection.kind === "waiting" || connection.kind === "cut" ? <span class="pill">reconnecting…</span> : <PhasePill phase={phase} />}
              <span class="muted num">{countOf(stream)} entries</span>
              {stream.source === "server" && <a href={paths.task(stream.agent, stream.task, { view: "lanes" })}>Look inside</a>}
            </>
          )}
        </footer>
      )}
    </section>
  );
}

/** What was said and is in no stream yet. What the server did not take is not lost: it is sent again, or written anew. */
function Waiting({
  turns,
  conversation,
  edit,
}: {
  readonly turns: readonly Turn[];
  readonly conversation: Conversation;
  readonly edit: (message: Message) => void;
}): VNode {
  return (
    <>
      {conversation.pending.value
        .filter(({ message }) => !turns.some((turn) => turn.kind === "task" && hasMessage(turn.stream, message.messageId)))
        .map(({ message, problem }) => (
          <section key={message.messageId} class="turn">
            <Said message={message} waits={problem === undefined} />
            {problem !== undefined && (
              <div class="problem not-sent" role="alert">
                <strong>It was not sent</strong>
                <p>
                  {problem.message}
                  {retryWords(problem)}
                </p>
                <div class="row wrap">
                  <button type="button" onClick={() => void conversation.again(message)}>
                    Send again
                  </button>
                  <button
                    type="button"
                    onClick={() => {
                      conversation.discard(message);
                      edit(message);
                    }}
                  >
                    Edit
                  </button>
                </div>
              </div>
            )}
          </section>
        ))}
    </>
  );
}

function retryWords({ retryAfterMs }: IasError): string {
  return retryAfterMs === undefined ? "" : ` Try again in ${Math.ceil(retryAfterMs / 1000)} s.`;
}

/** Whether a stream holds a message already; it stands near the end, or in the first entry. */
function hasMessage(stream: StreamStore, messageId: string): boolean {
  void stream.version.value;
  const mark = JSON.stringify(messageId);
  return stream.entries.some(({ event, audience }, at) => (at === 0 || audience === "internal") && JSON.stringify(event).includes(mark));
}

function Empty({ agent, example }: { readonly agent: string; readonly example: (text: string) => void }): VNode {
  const known = agents.value?.find(({ id }) => id === agent);
  const examples = known?.skills.flatMap((skill) => skill.examples ?? []).slice(0, 6) ?? [];
  return (
    <div class="empty stack">
      <h2>{known?.name ?? agent}</h2>
      {known !== undefined && <p>{known.description}</p>}
      {known === undefined && agents.value !== undefined && (
        <p>
          This server has no agent of that name. <a href={paths.home}>See who is here</a>, or <a href={paths.remotes}>bring one by its address</a>.
        </p>
      )}
      {examples.length > 0 && (
        <>
          <p class="muted">Try one of these, or write below.</p>
          <div class="row wrap">
            {examples.map((text) => (
              <button key={text} type="button" onClick={() => example(text)}>
                {text}
              </button>
            ))}
          </div>
        </>
      )}
    </div>
  );
}

/** Keeps the end in sight while it is in sight: who scrolled up stays there. */
function useStickToEnd(): { current: HTMLDivElement | null } {
  const scroller = useRef<HTMLDivElement>(null);
  useEffect(() => {
    const element = scroller.current;
    const content = element?.firstElementChild;
    if (element === null || content === null || content === undefined) return undefined;
    let sticks = true;
    let before = 0;
    const look = (): void => {
      const isNear = element.scrollHeight - element.scrollTop - element.clientHeight < 48;
      // Only who goes up leaves the end: what came meanwhile does not.
      if (isNear || element.scrollTop < before) sticks = isNear;
      before = element.scrollTop;
    };
    element.addEventListener("scroll", look, { passive: true });
    const watcher = new ResizeObserver(() => {
      if (sticks) element.scrollTop = element.scrollHeight;
    });
    watcher.observe(content);
    return () => {
      watcher.disconnect();
      element.removeEventListener("scroll", look);
    };
  }, []);
  return scroller;
}
