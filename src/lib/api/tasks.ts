import { z } from "zod";
import type { ListedTask } from "../log/task-index.ts";
import type { ConversationSummary, TaskDetail, TaskSummary, TaskSummaryPage } from "../model/api.ts";
import type { JsonObject, TaskState } from "../model/a2a.ts";
import { toCursor } from "../model/cursor.ts";
import { cutText } from "../model/cut-text.ts";
import { hasBlobs } from "../media/media.ts";
import { IasError } from "../model/errors.ts";
import type { Principal, StreamKey } from "../model/key.ts";
import type { SearchQuery } from "../search/search.ts";
import type { ApiParts } from "./api-parts.ts";
import { defineEndpoint, type Endpoint } from "./endpoint.ts";
import { findTask, seekTask, taskNotFound } from "./find-task.ts";
import { type PageToken, readToken, writeToken } from "./page-token.ts";
import { given, statesParameter, wholeNumber, words } from "./query.ts";
import { conversationPageSchema, taskDetailSchema, taskPageSchema } from "./schemas.ts";
import { titleOf, toSummary } from "./summaries.ts";

const PAGE_SIZE = 50;
const MAX_PAGE_SIZE = 200;

/** Looks at the search for one page, where it does not know yet what is gone; past it the page is shorter. */
const MAX_ROUNDS = 5;

/** Rows that a page of conversations looks at; a conversation of many tasks takes many. */
const MAX_SCANNED = 1000;

const filters = {
  agent: words("Only this agent's"),
  context: words("Only this conversation's (contextId)"),
  states: statesParameter,
};

const paging = {
  pageSize: wholeNumber(1, MAX_PAGE_SIZE, `At most so many; ${PAGE_SIZE} by default`),
  pageToken: words("`nextPageToken` of the page before"),
};

/** The agent of `{task}`, where it is known: it is asked first. */
export const AGENT_HINT = { agent: words("Where to look first; without it all agents are asked") };

/** Endpoints that list and read tasks and conversations. */
export function createTaskEndpoints(parts: ApiParts): readonly Endpoint[] {
  return [
    defineEndpoint({
      method: "GET",
      path: "/api/tasks",
      tag: "Tasks",
      summary: "The caller's tasks, those first whose state changed last",
      query: z.object({
        ...filters,
        task: words("Only the task of this id: a page of one, or of none where the caller has no such task. Not with q"),
        since: wholeNumber(0, Number.MAX_SAFE_INTEGER, "Only those whose state changed then or later, ms since the epoch"),
        until: wholeNumber(0, Number.MAX_SAFE_INTEGER, "Only those whose state changed then or before, ms since the epoch"),
        q: words("Words to search for in what was said, where the server searches (`features` of the session); the last may be the beginning of one"),
        ...paging,
      }),
      reply: taskPageSchema,
      async handle({ principal, query }) {
        const { agent, context, states, since, until, pageSize = PAGE_SIZE, pageToken, q, task } = given(query);
        if (task !== undefined) return { body: await pageOfOne(parts, principal, { ...given(query), task }) };
        const scope = { ...scopeOf(principal), ...given({ agent, context }), ...(states !== undefined && states.length > 0 && { states }) };
        const token = pageToken === undefined ? undefined : readToken(pageToken);
        const bound = token?.until ?? until ?? parts.now();
        if (q !== undefined) {
          const query = { ...scope, ...(since !== undefined && { statusAfter: since }), text: q };
          return { body: await searchTasks(parts, query, { limit: pageSize, token, bound }) };
        }
        const page = await parts.store.index.list({
          ...scope,
          ...(since !== undefined && { statusAfter: since }),
          statusUntil: bound,
          ...(token !== undefined && { after: token }),
          limit: pageSize,
        });
        const tasks = await Promise.all(page.tasks.map((row) => toSummary(parts, row)));
        return { body: { tasks, nextPageToken: page.more ? tokenAfter(page.tasks, bound) : "", total: page.total } };
      },
    }),
    defineEndpoint({
      method: "GET",
      path: "/api/tasks/{task}",
      tag: "Tasks",
      summary: "A task whole, with the cursor from which its stream goes on",
      query: z.object(AGENT_HINT),
      reply: taskDetailSchema,
      async handle({ principal, params, query }) {
        const { key } = await findTask(parts, principal, { task: params.task, ...given(query) });
        return { body: await detailOf(parts, key) };
      },
    }),
    defineEndpoint({
      method: "GET",
      path: "/api/conversations",
      tag: "Tasks",
      summary: "The caller's conversations (tasks of one contextId), newest first",
      query: z.object({ agent: filters.agent, ...paging }),
      reply: conversationPageSchema,
      async handle({ principal, query }) {
        const { agent, pageSize = PAGE_SIZE, pageToken } = given(query);
        return { body: await listConversations(parts, { ...scopeOf(principal), ...given({ agent }) }, pageSize, pageToken) };
      },
    }),
  ];
}

function scopeOf({ tenant, user }: Principal): { readonly tenant: string; readonly user: string } {
  return { tenant, user };
}

function tokenAfter(rows: readonly ListedTask[], until: number): string {
  const last = rows.at(-1);
  return last === undefined ? "" : writeToken({ until, time: last.statusAt, task: last.key.task });
}

/** The page of a listing that asks for one task by its id; the task must fit the rest, too. */
async function pageOfOne(
  parts: ApiParts,
  principal: Principal,
  asked: Partial<Record<"agent" | "context" | "q", string>> & {
    readonly task: string;
    readonly states?: readonly TaskState[];
    readonly since?: number;
    readonly until?: number;
  },
): Promise<TaskSummaryPage> {
  const { task, agent, context, states, since = 0, until = Number.POSITIVE_INFINITY, q } = asked;
  if (q !== undefined) {
    const description = "names one task, in which nothing is searched; leave q out, or task";
    throw new IasError("invalid-params", `task ${description}.`, { fields: [{ field: "task", description }] });
  }
  const found = await seekTask(parts, principal, { task, ...given({ agent }) });
  const row = found && (await parts.store.index.get(found.key));
  const fits =
    row !== undefined &&
    (agent ?? row.key.agent) === row.key.agent &&
    (context ?? row.context) === row.context &&
    (states === undefined || states.length === 0 || states.includes(row.state)) &&
    row.statusAt >= since &&
    row.statusAt <= until;
  return { tasks: fits ? [await toSummary(parts, row)] : [], nextPageToken: "", total: fits ? 1 : 0 };
}

/** A page of what a search finds. What it knows is some moments old, so each hit is held against the index again. */
async function searchTasks(
  parts: ApiParts,
  query: Omit<SearchQuery, "limit" | "after">,
  { limit, token, bound }: { readonly limit: number; readonly token: PageToken | undefined; readonly bound: number },
): Promise<TaskSummaryPage> {
  if (parts.search === undefined) throw new IasError("unsupported-operation", "This server does not search; leave q out.");
  const tasks: TaskSummary[] = [];
  let after: { readonly time: number; readonly task: string } | undefined = token;
  for (let rounds = 1; ; rounds += 1) {
    const { hits, total, more } = await parts.search.find({ ...query, statusUntil: bound, limit: limit - tasks.length, ...(after !== undefined && { after }) });
    for (const { key, match } of hits) {
      const row = await parts.store.index.get(key);
      if (row !== undefined && (query.states?.includes(row.state) ?? true)) tasks.push({ ...(await toSummary(parts, row)), match: cutText(match, 200) });
    }
    const last = hits.at(-1);
    if (last !== undefined) after = { time: last.statusAt, task: last.key.task };
    if (more && tasks.length < limit && rounds < MAX_ROUNDS) continue;
    return { tasks, nextPageToken: more && after !== undefined ? writeToken({ until: bound, ...after }) : "", total };
  }
}

/** The Task folded at its head, with what a list says of it. */
async function detailOf(parts: ApiParts, key: StreamKey): Promise<TaskDetail> {
  const row = await parts.store.index.get(key);
  const at = row && (await parts.views.with(key, (view, { head, sealed, floor }) => ({ task: view.fold.task(), seq: view.fold.seq, head, sealed, floor })));
  if (row === undefined || at?.task === undefined) throw taskNotFound(key.task);
  const json = JSON.stringify(await parts.media.fitTask(key, at.task, parts.limits.maxInlineBytes));
  const snapshot = JSON.parse(hasBlobs(json) ? await parts.media.present(key, json) : json) as JsonObject;
  const { sealed, floor, head } = at;
  // The row may be older or newer than the fold: what is told of the state is the Task's own.
  const { state, timestamp } = at.task.status;
  const summary = { ...(await toSummary(parts, row)), state, head, ...(timestamp !== undefined && { statusAt: Date.parse(timestamp) }) };
  return { ...summary, cursor: toCursor(parts.store.log.id, at.seq), sealed, floor, snapshot };
}

/**
 * Groups the listing of tasks: a conversation stands where its newest task does, so each row asks whether its conversation has a newer one. The token says after
 * which row to go on.
 */
async function listConversations(
  parts: ApiParts,
  scope: { readonly tenant: string; readonly user: string; readonly agent?: string },
  pageSize: number,
  pageToken: string | undefined,
): Promise<{ readonly conversations: readonly ConversationSummary[]; readonly nextPageToken: string }> {
  const token = pageToken === undefined ? undefined : readToken(pageToken);
  const until = token?.until ?? parts.now();
  const conversations: ConversationSummary[] = [];
  const seen = new Set<string>();
  let after: { readonly time: number; readonly task: string } | undefined = token;
  for (let scanned = 0; scanned < MAX_SCANNED;) {
    const page = await parts.store.index.list({ ...scope, statusUntil: until, ...(after !== undefined && { after }), limit: MAX_PAGE_SIZE });
    for (const row of page.tasks) {
      if (conversations.length === pageSize) return { conversations, nextPageToken: after === undefined ? "" : writeToken({ until, ...after }) };
      scanned += 1;
      after = { time: row.statusAt, task: row.key.task };
      const id = JSON.stringify([row.key.agent, row.context]);
      if (seen.has(id)) continue;
      seen.add(id);
      const conversation = await conversationOf(parts, row, until);
      if (conversation !== undefined) conversations.push(conversation);
    }
    if (!page.more) return { conversations, nextPageToken: "" };
  }
  return { conversations, nextPageToken: after === undefined ? "" : writeToken({ until, ...after }) };
}

/** The conversation of a task, if no task of it is newer. */
async function conversationOf(parts: ApiParts, row: ListedTask, until: number): Promise<ConversationSummary | undefined> {
  const { tenant, user, agent } = row.key;
  const newest = await parts.store.index.list({ tenant, user, agent, context: row.context, statusUntil: until, limit: 1 });
  if (newest.tasks[0]?.key.task !== row.key.task) return undefined;
  const title = await titleOf(parts, row.key);
  return { agent, context: row.context, tasks: newest.total, ...(title !== undefined && { title }), state: row.state, statusAt: row.statusAt };
}
