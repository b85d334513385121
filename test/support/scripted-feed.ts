import { effect } from "@preact/signals";
import { lost } from "../../src/lib/browser/client-error.ts";
import type { Piece, Source } from "../../src/lib/browser/source.ts";
import type { StreamResponse, TaskState } from "../../src/lib/model/a2a.ts";
import type { FeedFrame, TaskSummary, TaskSummaryPage } from "../../src/lib/model/api.ts";

/** A server as the inspector's lists see it: what it lists, and a feed that says what it is told to. */
export interface ScriptedServer {
  readonly source: Source;
  readonly list: (query: Readonly<Record<string, string | number | undefined>>) => Promise<TaskSummaryPage>;
  /** The states of each list that was asked for; `all` for none. */
  readonly asked: string[];
  /** The cursor of each connection. */
  readonly cursors: (string | undefined)[];
  lists(task: string, state: TaskState, more?: Partial<TaskSummary>): void;
  forgets(): void;
  /** Entries from `seq` on, written just now. */
  says(task: string, seq: number, ...events: readonly StreamResponse[]): void;
  /** Cuts the connection, after what was said before; the next one has this log. */
  cut(log?: string): void;
}

/** Makes one. */
export function scriptedServer(): ScriptedServer {
  const tasks = new Map<string, TaskSummary>();
  const asked: string[] = [];
  const cursors: (string | undefined)[] = [];
  let pieces: Piece[] = [];
  let wake: (() => void) | undefined;
  let isCut = false;
  let log = "log";
  return {
    asked,
    cursors,
    async *source(subscription, signal) {
      cursors.push(subscription.after);
      yield { kind: "feed", cursor: `${log}.1`, frames: [] };
      for (;;) {
        const now = pieces;
        pieces = [];
        yield* now;
        signal.throwIfAborted();
        if (isCut) {
          isCut = false;
          throw lost("cut", { retryAfterMs: 0 });
        }
        if (pieces.length > 0) continue;
        await new Promise<void>((resolve) => {
          wake = resolve;
          signal.addEventListener("abort", () => resolve(), { once: true });
        });
      }
    },
    async list(query) {
      asked.push(String(query["states"] ?? "all"));
      const states = query["states"] === undefined ? undefined : String(query["states"]).split(",");
      const all = [...tasks.values()].filter(({ state }) => states === undefined || states.includes(state)).sort((a, b) => b.statusAt - a.statusAt);
      const from = Number(query["pageToken"] ?? 0);
      const end = from + Number(query["pageSize"] ?? 50);
      return { tasks: all.slice(from, end), nextPageToken: end < all.length ? String(end) : "", total: all.length };
    },
    lists: (task, state, more = {}) =>
      void tasks.set(task, { agent: "agent", task, context: "c", state, statusAt: 1, createdAt: 1, head: 1, title: `about ${task}`, ...more }),
    forgets: () => tasks.clear(),
    says(task, seq, ...events) {
      const at = performance.timeOrigin + performance.now();
      const entries = events.map((event, index) => ({ seq: seq + index, gen: 0, at, attempt: 1, audience: "public" as const, event }));
      const frame: FeedFrame = { agent: "agent", task, context: "c", entries };
      pieces.push({ kind: "feed", cursor: undefined, frames: [frame] });
      wake?.();
    },
    cut(next = log) {
      log = next;
      isCut = true;
      wake?.();
    },
  };
}

/** The first entry of a task. */
export function begins(task: string): StreamResponse {
  const history = [{ messageId: "m", role: "ROLE_USER", parts: [{ text: `about ${task}` }] } as const];
  return { task: { id: task, contextId: "c", status: { state: "TASK_STATE_WORKING" }, history } };
}

/** A token. */
export function says(task: string, text: string): StreamResponse {
  return { artifactUpdate: { taskId: task, contextId: "c", artifact: { artifactId: "a", parts: [{ text }] }, append: true } };
}

/** The last entry of a task. */
export function ends(task: string): StreamResponse {
  return { statusUpdate: { taskId: task, contextId: "c", status: { state: "TASK_STATE_COMPLETED" } } };
}

/** Resolves once `look`, which reads signals, gives `wanted`, whatever it gave before. */
export function until(look: () => unknown, wanted: unknown): Promise<void> {
  const text = JSON.stringify(wanted);
  return new Promise((resolve) => {
    const stop = effect(() => {
      if (JSON.stringify(look()) !== text) return;
      queueMicrotask(() => {
        stop();
        resolve();
      });
    });
  });
}
