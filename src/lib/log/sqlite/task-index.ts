import type { DatabaseSync, SQLInputValue, StatementSync } from "node:sqlite";
import { IasError } from "../../model/errors.ts";
import { isInterrupted, isTerminal, type TaskState } from "../../model/a2a.ts";
import type { Counters } from "../counters.ts";
import type { IndexRow, ListedTask, TaskIndex, TaskQuery } from "../task-index.ts";
import type { Group } from "./group.ts";
import type { SqliteStream } from "./stream.ts";
import type { Streams } from "./streams.ts";

/** The index in SQLite; the writer sets rows inside its transactions. */
export interface SqliteIndex extends TaskIndex {
  set(stream: SqliteStream, row: IndexRow | null): void;
}

interface Row {
  readonly stream: number;
  readonly tenant: string;
  readonly user: string;
  readonly agent: string;
  readonly task: string;
  readonly context: string;
  readonly state: TaskState;
  readonly status_at: number;
  readonly created_at: number;
}

/** The index of one database. `counters` are kept right by it; without them (a read-only store) totals are counted by SQL. */
export function createSqliteIndex(
  database: DatabaseSync,
  streams: Streams,
  group: Group | undefined,
  counters: Counters | undefined,
  now: () => number,
): SqliteIndex {
  const statements = new Map<string, StatementSync>();
  const prepare = (sql: string): StatementSync => {
    let statement = statements.get(sql);
    if (statement === undefined) statements.set(sql, (statement = database.prepare(sql)));
    return statement;
  };
  const select = database.prepare("SELECT * FROM tasks WHERE stream = ?");
  const upsert = database.prepare(
    "INSERT INTO tasks VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT DO UPDATE SET context = excluded.context, state = excluded.state, status_at = excluded.status_at, created_at = excluded.created_at",
  );
  const remove = database.prepare("DELETE FROM tasks WHERE stream = ?");

  function toListed(row: Row): ListedTask | undefined {
    const stream = streams.byId(row.stream);
    return stream && { ...toIndexRow(row), head: stream.head, epoch: stream.epoch, leaseEndsAt: stream.leaseEndsAt };
  }

  /** Rows that match, in order, a chunk at a time: leases are known only in memory. */
  function page(query: TaskQuery): { tasks: ListedTask[]; more: boolean } {
    const tasks: ListedTask[] = [];
    let after = query.after;
    for (;;) {
      const rows = selectRows(prepare, query, after, query.limit + 1);
      for (const row of rows) {
        const listed = toListed(row);
        if (listed === undefined || (query.leaseEnded === true && listed.leaseEndsAt > now())) continue;
        if (tasks.length === query.limit) return { tasks, more: true };
        tasks.push(listed);
      }
      const last = rows.at(-1);
      if (last === undefined || rows.length <= query.limit) return { tasks, more: false };
      after = { time: query.order === "oldest" ? last.created_at : last.status_at, task: last.task };
    }
  }

  function total(query: TaskQuery): number {
    if (query.leaseEnded === true) {
      const rows = selectRows(prepare, { ...query, statusUntil: undefined }, undefined, -1);
      return rows.filter((row) => (streams.byId(row.stream)?.leaseEndsAt ?? 0) <= now()).length;
    }
    if (counters !== undefined && query.context === undefined && query.statusAfter === undefined) return counters.total(query);
    const { where, values } = conditions({ ...query, statusUntil: undefined });
    return Number(prepare(`SELECT count(*) AS total FROM tasks WHERE ${where}`).get(...values)?.["total"]);
  }

  return {
    async get(key) {
      const stream = streams.find(key);
      const row = stream && (select.get(stream.id) as unknown as Row | undefined);
      return row && toListed(row);
    },
    async list(query) {
      if (!(query.limit >= 1 && query.limit <= 1000)) throw new IasError("invalid-request", `limit must be 1 to 1,000, not ${query.limit}.`);
      const { tasks, more } = page(query);
      return { tasks, total: total(query), more };
    },
    set(stream, row) {
      const old = select.get(stream.id) as unknown as Row | undefined;
      if (row === null) remove.run(stream.id);
      else {
        const { tenant, user, agent, task } = stream.key;
        upsert.run(stream.id, tenant, user, agent, task, row.context, row.state, row.statusAt, row.createdAt);
      }
      group?.afterCommit(() => {
        if (old !== undefined) counters?.add(toIndexRow(old), -1);
        if (row !== null) counters?.add({ ...row, key: stream.key }, 1);
      });
    },
  };
}

function toIndexRow(row: Row): IndexRow {
  const { tenant, user, agent, task, context, state, status_at: statusAt, created_at: createdAt } = row;
  return { key: { tenant, user, agent, task }, context, state, statusAt, createdAt };
}

type Query = { [Name in keyof TaskQuery]?: TaskQuery[Name] | undefined };

function selectRows(prepare: (sql: string) => StatementSync, query: Query, after: TaskQuery["after"], limit: number): Row[] {
  const { where, values } = conditions(query);
  const oldest = query.order === "oldest";
  const place = oldest ? "(created_at, task) > (?, ?)" : "(status_at, task) < (?, ?)";
  const order = oldest ? "created_at, task" : "status_at DESC, task DESC";
  const sql = `SELECT * FROM tasks ${hint(query)} WHERE ${where}${after ? ` AND ${place}` : ""} ORDER BY ${order} LIMIT ?`;
  return prepare(sql).all(...values, ...(after ? [after.time, after.task] : []), limit) as unknown as Row[];
}

/** Which index serves: few rows of a context or of states in which tasks do not stay, else the order itself. */
function hint({ context, states, tenant, user, order }: Query): string {
  if (context !== undefined) return "INDEXED BY tasks_of_context";
  if (states !== undefined && states.length > 0 && states.every((state) => !isTerminal(state) && !isInterrupted(state))) return "INDEXED BY tasks_in_state";
  if (order === "oldest") return "INDEXED BY tasks_oldest";
  return tenant !== undefined && user !== undefined ? "INDEXED BY tasks_newest_of_user" : "INDEXED BY tasks_newest";
}

function conditions(query: Query): { where: string; values: SQLInputValue[] } {
  const terms = ["1"];
  const values: SQLInputValue[] = [];
  for (const name of ["tenant", "user", "agent", "context"] as const) {
    const value = query[name];
    if (value === undefined) continue;
    terms.push(`${name} = ?`);
    values.push(value);
  }
  if (query.states !== undefined) {
    terms.push(`state IN (${query.states.map(() => "?").join(", ")})`);
    values.push(...query.states);
  }
  if (query.statusAfter !== undefined) {
    terms.push("status_at >= ?");
    values.push(query.statusAfter);
  }
  if (query.statusUntil !== undefined) {
    terms.push("status_at <= ?");
    values.push(query.statusUntil);
  }
  return { where: terms.join(" AND "), values };
}
