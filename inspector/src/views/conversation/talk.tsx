import { effect, useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useCallback, useEffect, useMemo, useRef } from "preact/hooks";
import { isTerminal, type Message, type Part } from "../../../../src/lib/model/a2a.ts";
import { navigate, paths } from "../../router.ts";
import { type Conversation, createConversation } from "../../state/conversation.ts";
import { agentName, agents, placeOf } from "../../state/server.ts";
import { Icon } from "../../ui/icon.tsx";
import { Composer } from "./composer.tsx";
import { createDraft, dropInto, editMessage } from "./draft.ts";
import { Pane } from "./pane.tsx";
import "./talk.css";

type Wanted = readonly { readonly agent: string; readonly context: string | undefined }[];

/** Talking to agents, one or several side by side: what is written goes to all that are ticked. */
export function Talk({ panes }: { readonly panes: Wanted }): VNode {
  const conversations = useConversations(panes);
  const draft = useMemo(createDraft, []);
  const drop = useMemo(() => dropInto(draft), [draft]);
  /** Agents that are left out of what is sent. */
  const silent = useSignal<ReadonlySet<Conversation>>(new Set());
  const chosen = conversations.filter((one) => conversations.length === 1 || !silent.value.has(one));
  const running = conversations.some(isRunning);
  const send = (parts: readonly Part[]): void => {
    for (const one of chosen) void one.send(parts);
  };
  const edit = useCallback(
    (message: Message) => {
      editMessage(draft, message);
      document.querySelector<HTMLElement>("[data-composer]")?.focus();
    },
    [draft],
  );
  const label = chosen.length === 0 ? "Tick an agent to write to" : `Message to ${chosen.map(({ agent }) => agentName(agent)).join(", ")}`;
  return (
    <div class="talk" {...drop}>
      <header class="talk-head">
        <h1 class="cut-text">{panes.map(({ agent }) => agentName(agent)).join(", ")}</h1>
        <AddPane panes={panes} />
        <a class="button" href={paths.talkAll(panes.map(({ agent }) => ({ agent, context: undefined })))}>
          <Icon name="plus" size={16} /> New<span class="long"> conversation</span>
        </a>
      </header>
      <div class="panes">
        {conversations.map((one, at) => (
          <section key={at} class="pane" aria-label={agentName(one.agent)}>
            {conversations.length > 1 && (
              <header class="pane-head">
                <h2 class="cut-text">{agentName(one.agent)}</h2>
                <button
                  type="button"
                  class="quiet icon"
                  aria-label={`Close ${agentName(one.agent)}`}
                  onClick={() => navigate(paths.talkAll(panes.filter((_, other) => other !== at)))}
                >
                  <Icon name="close" size={16} />
                </button>
              </header>
            )}
            <Pane conversation={one} edit={edit} example={(text) => void one.send([{ text }])} />
          </section>
        ))}
      </div>
      <div class="talk-foot">
        <Composer
          draft={draft}
          label={label}
          running={running}
          send={send}
          cancel={() => void Promise.all(conversations.filter(isRunning).map((one) => one.cancel()))}
        >
          {conversations.length > 1 && (
            <fieldset class="targets plain">
              <legend class="sr">Who gets the message</legend>
              {conversations.map((one, at) => (
                <label key={at} class="row">
                  <input
                    type="checkbox"
                    checked={!silent.value.has(one)}
                    onChange={() => {
                      const next = new Set(silent.value);
                      if (!next.delete(one)) next.add(one);
                      silent.value = next;
                    }}
                  />
                  <span class="cut-text">{agentName(one.agent)}</span>
                </label>
              ))}
            </fieldset>
          )}
        </Composer>
      </div>
    </div>
  );
}

function isRunning(conversation: Conversation): boolean {
  return conversation.turns.value.some((turn) => {
    const state = turn.kind === "task" ? turn.stream.state.value : undefined;
    // What waits for an answer can be canceled as well.
    return state !== undefined && !isTerminal(state);
  });
}

/** One conversation for each pane of the address. A new one gets its place in the address with its first answer. */
function useConversations(panes: Wanted): readonly Conversation[] {
  const held = useRef<readonly Conversation[]>([]);
  const asked = useRef<Wanted | undefined>(undefined);
  const own = useRef("");
  // Only an address that comes from elsewhere changes who is talked to: a new conversation has its context before the address does.
  if (asked.current !== panes) {
    const isOwn = asked.current !== undefined && paths.talkAll(panes) === own.current;
    asked.current = panes;
    if (!isOwn) held.current = conversationsFor(panes, held.current);
  }
  useEffect(
    () => () => {
      for (const one of held.current) one.close();
      held.current = [];
      asked.current = undefined;
    },
    [],
  );
  const conversations = held.current;
  useEffect(
    () =>
      // At once when a context comes, not with a later drawing: two that come together would chase each other through the address.
      effect(() => {
        const address = paths.talkAll(conversations.map(({ agent, context }) => ({ agent, context: context.value })));
        own.current = address;
        navigate(address, { replace: true });
      }),
    [conversations],
  );
  return conversations;
}

/** Those of `before` that are still wanted, new ones for the rest; the others are closed. */
function conversationsFor(panes: Wanted, before: readonly Conversation[]): readonly Conversation[] {
  const free = new Set(before);
  const next = panes.map(({ agent, context }) => {
    const same = [...free].find((one) => one.agent === agent && one.context.peek() === context);
    if (same !== undefined) free.delete(same);
    return same ?? createConversation(agent, context);
  });
  for (const one of free) one.close();
  return next;
}

function AddPane({ panes }: { readonly panes: Wanted }): VNode | null {
  const others = agents.value ?? [];
  if (others.length === 0) return null;
  return (
    <select
      aria-label="Talk to another agent beside"
      value=""
      onChange={(event) => {
        const agent = event.currentTarget.value;
        event.currentTarget.value = "";
        if (agent !== "") navigate(paths.talkAll([...panes, { agent, context: undefined }]));
      }}
    >
      <option value="">Add…</option>
      {others.map((agent) => (
        <option key={agent.id} value={agent.id}>
          {[agent.name, placeOf(agent) ?? []].flat().join(", ")}
        </option>
      ))}
    </select>
  );
}
