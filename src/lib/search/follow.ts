import { setTimeout as delay } from "node:timers/promises";
import type { Change } from "../log/log.ts";
import type { Store } from "../log/store.ts";
import { isInterrupted, isTerminal, type Part, type Task } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { keyText } from "../model/key.ts";
import type { TaskViews } from "../task/view.ts";
import type { SearchDocument, TaskSearch } from "./search.ts";

/** What fills a search. */
export interface FollowParts {
  readonly search: TaskSearch;
  readonly store: Pick<Store, "log" | "index">;
  readonly views: TaskViews;
  readonly report: (error: IasError) => void;
  /** Between two looks at the log, ms, so that a stream of tokens costs no more than a quiet one; 500. */
  readonly pauseMs?: number;
}

/** Longest text of a task that is searched, characters. */
const MAX_TEXT = 256 * 1024;

/** After a failure, ms. */
const RETRY_MS = 5000;

/** Tasks that work and whose first words are in already; past it they are taken in again, which only costs time. */
const MAX_KNOWN = 10_000;

/** Follows the log's doorbells and puts in each task when it begins, and again whenever it rests: what is said in between is found then. Disposing stops it. */
export function followLog(parts: FollowParts): AsyncDisposable {
  const stop = new AbortController();
  const running = run(parts, stop.signal);
  return {
    async [Symbol.asyncDispose]() {
      stop.abort();
      await running;
    },
  };
}

async function run(parts: FollowParts, signal: AbortSignal): Promise<void> {
  const { search, store, report, pauseMs = 500 } = parts;
  const known = new Set<string>();
  while (!signal.aborted) {
    try {
      for await (const changes of store.log.changes({ after: await search.position(), signal })) {
        const documents: SearchDocument[] = [];
        for (const change of changes) {
          const document = await documentOf(parts, change, known);
          if (document !== undefined) documents.push(document);
          if (signal.aborted) return;
        }
        await search.put(documents, changes.at(-1)?.position ?? 0);
        await delay(pauseMs, undefined, { signal }).catch(() => undefined);
      }
      return;
    } catch (error) {
      if (signal.aborted) return;
      report(IasError.from(error));
      await delay(RETRY_MS, undefined, { signal }).catch(() => undefined);
    }
  }
}

async function documentOf({ store, views }: FollowParts, { key }: Change, known: Set<string>): Promise<SearchDocument | undefined> {
  const row = await store.index.get(key);
  if (row === undefined) return undefined;
  const name = keyText(key);
  const rests = isTerminal(row.state) || isInterrupted(row.state);
  if (!rests && known.has(name)) return undefined;
  if (rests) known.delete(name);
  else if (known.size < MAX_KNOWN) known.add(name);
  const text = await views.with(key, (view) => textOf(view.fold.task()));
  return text === undefined ? undefined : { key, context: row.context, statusAt: row.statusAt, text };
}

function textOf(task: Task | undefined): string {
  const parts: readonly Part[] = [
    ...(task?.history ?? []).flatMap((message) => message.parts),
    ...(task?.artifacts ?? []).flatMap((artifact) => artifact.parts),
    ...(task?.status.message?.parts ?? []),
  ];
  let text = "";
  for (const part of parts) {
    if (text.length > MAX_TEXT) break;
    text += `${part.text ?? part.filename ?? ""}\n`;
  }
  return text.slice(0, MAX_TEXT).toWellFormed();
}
