import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import type { TaskSummary, TaskSummaryPage } from "../../../../src/lib/model/api.ts";
import { messageOf } from "../../../../src/lib/model/errors.ts";
import { here, paths, setQuery } from "../../router.ts";
import { callApi } from "../../state/call.ts";
import { agentName, agents, server } from "../../state/server.ts";
import { ALL_STATES, stateWords, whenWords } from "../../state/words.ts";
import { Problem } from "../../ui/problem.tsx";
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
  const tasks = useSignal<readonly TaskSummary[] | undefined>(undefined);
  const total = useSignal(0);
  const more = useSignal("");
  const problem = useSignal<string | undefined>(undefined);

  const load = async (pageToken: string, signal?: AbortSignal): Promise<void> => {
    const { agent, context, state, span, q } = Object.fromEntries(new URLSearchParams(asked)) as Record<string, string | undefined>;
    const since = SPANS[span ?? ""]?.[1];
    try {
      const page = await callApi<TaskSummaryPage>("/api/tasks", {
        query: { agent, context, states: state, q, ...(since !== undefined && { since: Date.now() - since }), pageSize: PAGE_SIZE, pageToken },
        ...(signal !== undefined && { signal }),
      });
      tasks.value = pageToken === "" ? page.tasks : [...(tasks.peek() ?? []), ...page.tasks];
      total.value = page.total;
      more.value = page.nextPageToken;
      problem.value = undefined;
    } catch (error) {
      if (signal?.aborted !== true) problem.value = messageOf(error);
    }
  };
  useEffect(() => {
    const over = new AbortController();
    const timer = setTimeout(() => void load("", over.signal), tasks.peek() === undefined ? 0 : TYPING_MS);
    return () => {
      clearTimeout(timer);
      over.abort();
    };
  }, [asked]);

  const context = query.get("context");
  const isFiltered = asked !== "";
  return (
    <div class="page">
      <div class="page-head">
        <h1>Tasks</h1>
        <span class="muted num" role="status">
          {tasks.value === undefined ? "" : `${total.value} ${total.value === 1 ? "task" : "tasks"}`}
        </span>
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
      {problem.value !== undefined && <Problem title="The tasks cannot be listed">{problem.value}</Problem>}
      {tasks.value?.length === 0 ? (
        <p class="muted">{isFiltered ? "No task is like that." : "There is no task yet: each message to an agent begins one."}</p>
      ) : (
        tasks.value !== undefined && <Table tasks={tasks.value} />
      )}
      {more.value !== "" && (
        <div>
          <button type="button" onClick={() => void load(more.peek())}>
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

function Table({ tasks }: { readonly tasks: readonly TaskSummary[] }): VNode {
  const now = Date.now();
  return (
    <div class="card table-box" tabIndex={0} role="region" aria-label="Tasks">
      <table class="table">
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
          {tasks.map(({ agent, task, context, state, statusAt, head, title, match }) => (
            <tr key={task}>
              <td class="asked-cell">
                <a href={paths.task(agent, task)}>{title ?? task}</a>
                {match !== undefined && <div class="small muted">{match}</div>}
              </td>
              <td>{agentName(agent)}</td>
              <td>
                <span class="pill">{stateWords(state)}</span>
              </td>
              <td class="right num">{head}</td>
              <td>
                <a href={paths.talk(agent, context)} class="mono small" title={context}>
                  {context.slice(0, 8)}
                </a>
              </td>
              <td class="right num muted" title={new Date(statusAt).toLocaleString()}>
                {whenWords(statusAt, now)}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
