import type { ReadonlySignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useMemo, useRef } from "preact/hooks";
import type { TaskState } from "../../../../src/lib/model/a2a.ts";
import type { TaskSummaryPage } from "../../../../src/lib/model/api.ts";
import { here, paths, setQuery } from "../../router.ts";
import { callApi } from "../../state/call.ts";
import { serverNow } from "../../state/clock.ts";
import { agentName, agents, server } from "../../state/server.ts";
import { ALL_STATES, stateWords, whenWords } from "../../state/words.ts";
import { Problem } from "../../ui/problem.tsx";
import { StatePill } from "../../ui/state.tsx";
import { useHold } from "../../ui/use-hold.ts";
import { useNow } from "../../ui/use-now.ts";
import { followRows, type TaskFilter, type TaskRow } from "./rows.ts";
import "./tasks.css";

const PAGE_SIZE = 50;
/** What is typed is asked for when the person pauses. */
const TYPING_MS = 300;

/** Spans of time, ms, by what the address says. */
const SPANS: Readonly<Record<string, readonly [string, number]>> = {
  "1h": ["the last hour", 3_600_000],
  "24h": ["the last 24 hours", 86_400_000],
  "7d": ["the last 7 days", 604_800_000],
};

/** All tasks, by agent, conversation, state, time and words. The address holds what is asked, so that it can be handed on. */
export function Tasks(): VNode {
  const query = here.value.searchParams;
  const asked = query.toString();
  const box = useRef<HTMLDivElement>(null);
  const tasks = useMemo(() => followRows({ isAway: () => (box.current?.getBoundingClientRect().top ?? 0) < 0 }), []);
  useEffect(() => tasks.close, [tasks]);
  const hold = useHold(tasks.hold);
  const isFirst = useRef(true);
  useEffect(() => {
    const timer = setTimeout(() => void tasks.ask(toFilter(new URLSearchParams(asked))), isFirst.current ? 0 : TYPING_MS);
    isFirst.current = false;
    return () => clearTimeout(timer);
  }, [tasks, asked]);
  const rows = tasks.rows.value;
  const total = tasks.total.value;
  const waiting = tasks.waiting.value;

  const context = query.get("context");
  const isFiltered = asked !== "";
  return (
    <div class="page">
      <div class="page-head tasks-head">
        <h1>Tasks</h1>
        <div class="row">
          {waiting > 0 && (
            <button type="button" onClick={tasks.showWaiting}>
              Show {waiting} new
            </button>
          )}
          <span class="muted num" role="status">
            {rows === undefined ? "" : `${total} ${total === 1 ? "task" : "tasks"}`}
          </span>
        </div>
      </div>
      <search class="filters">
        {server.value?.features.includes("search") === true && (
          <label class="field wide">
            Search
            <input
              type="search"
              data-search
              value={query.get("q") ?? ""}
              placeholder="Words that were said"
              onInput={(event) => setQuery({ q: event.currentTarget.value })}
            />
          </label>
        )}
        <Choice name="agent" label="Agent" options={(agents.value ?? []).map(({ id, name }) => [id, name])} />
        <Choice name="state" label="State" options={ALL_STATES.map((state) => [state, stateWords(state)])} />
        <Choice name="span" label="Changed in" options={Object.entries(SPANS).map(([value, [words]]) => [value, words])} />
        {isFiltered && (
          <button type="button" onClick={() => setQuery({ q: undefined, agent: undefined, state: undefined, span: undefined, context: undefined })}>
            Show all
          </button>
        )}
      </search>
      {context !== null && (
        <p class="muted small">
          Only the conversation <span class="mono">{context}</span>
        </p>
      )}
      {tasks.problem.value !== undefined && <Problem title="The tasks cannot be followed just now">{tasks.problem.value}</Problem>}
      {rows?.length === 0 ? (
        <p class="muted">{isFiltered ? "No task is like that." : "There is no task yet: each message to an agent begins one."}</p>
      ) : (
        rows !== undefined && (
          <div ref={box} {...hold}>
            <Table rows={rows} />
          </div>
        )
      )}
      {tasks.hasMore.value && (
        <div>
          <button type="button" onClick={() => void tasks.showMore()}>
            Show more
          </button>
        </div>
      )}
    </div>
  );
}

function Choice({ name, label, options }: { readonly name: string; readonly label: string; readonly options: readonly (readonly [string, string])[] }): VNode {
  const value = here.value.searchParams.get(name) ?? "";
  return (
    <label class="field">
      {label}
      <select value={value} onChange={(event) => setQuery({ [name]: event.currentTarget.value })}>
        <option value="">Any</option>
        {options.map(([option, words]) => (
          <option key={option} value={option} selected={option === value}>
            {words}
          </option>
        ))}
      </select>
    </label>
  );
}

function toFilter(query: URLSearchParams): TaskFilter {
  const { agent, context, state, span, q } = Object.fromEntries(query) as Record<string, string | undefined>;
  const length = SPANS[span ?? ""]?.[1];
  return {
    agent,
    context,
    state,
    list: (pageToken, signal) =>
      callApi<TaskSummaryPage>("/api/tasks", {
        query: { agent, context, states: state, q, ...(length !== undefined && { since: Math.round(serverNow() - length) }), pageSize: PAGE_SIZE, pageToken },
        signal,
      }),
  };
}

function Table({ rows }: { readonly rows: readonly TaskRow[] }): VNode {
  const now = useNow(10_000);
  return (
    <div class="card table-box tasks-box" tabIndex={0} role="region" aria-label="Tasks">
      <table class="table tasks-table">
        <thead>
          <tr>
            <th scope="col">Asked</th>
            <th scope="col">Agent</th>
            <th scope="col">State</th>
            <th scope="col" class="right">
              Entries
            </th>
            <th scope="col">Conversation</th>
            <th scope="col" class="right">
              Changed
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map((row) => (
            <Row key={row.summary.task} row={row} now={now} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ row, now }: { readonly row: TaskRow; readonly now: ReadonlySignal<number> }): VNode {
  const { agent, task, context, title, match } = row.summary;
  return (
    <tr>
      <td class="asked-cell">
        <a href={paths.task(agent, task)}>{title ?? task}</a>
        {match !== undefined && <div class="small muted">{match}</div>}
      </td>
      <td class="agent-cell cut-text">{agentName(agent)}</td>
      <td class="state-cell">
        <LiveState state={row.state} />
      </td>
      <td class="right num head-cell">{row.head}</td>
      <td class="context-cell">
        <a href={paths.talk(agent, context)} class="mono small" title={context}>
          {context.slice(0, 8)}
        </a>
      </td>
      <Changed at={row.statusAt} now={now} />
    </tr>
  );
}

function LiveState({ state }: { readonly state: ReadonlySignal<TaskState> }): VNode {
  return <StatePill state={state.value} />;
}

function Changed({ at, now }: { readonly at: ReadonlySignal<number>; readonly now: ReadonlySignal<number> }): VNode {
  return (
    <td class="right num muted when-cell" title={new Date(at.value).toLocaleString()}>
      {whenWords(at.value, now.value)}
    </td>
  );
}
