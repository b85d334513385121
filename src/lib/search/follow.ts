import { setTimeout as delay } from "node:timers/promises";
import type { Change } from "../log/log.ts";
import type { Store } from "../log/store.ts";
import { isInterrupted, isTerminal, type Part, type Task } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { keyText, type StreamKey } from "../model/key.ts";
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

/**
 * Follows the log's doorbells and puts in each task when it begins, and again whenever it rests: what is said in between is found then. Its state is that of
 * the index, some moments late. What is no task any more goes. Disposing stops it.
 */
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
  const known = new Map<string, string>();
  while (!signal.aborted) {
    try {
      for await (const changes of store.log.changes({ after: await search.position(), signal })) {
        const documents: SearchDocument[] = [];
        const gone: StreamKey[] = [];
        for (const change of changes) {
          const document = await documentOf(parts, change, known);
          if (document === "gone") gone.push(change.key);
          else if (document !== undefined) documents.push(document);
          if (signal.aborted) return;
        }
        await search.put(documents, changes.at(-1)?.position ?? 0, gone);
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

/** What is new of a task for the search; undefined if nothing is. `known`: by name, how a task that works stands there. */
async function documentOf({ store, views }: FollowParts, { key }: Change, known: Map<string, string>): Promise<SearchDocument | "gone" | undefined> {
  const name = keyText(key);
  const row = await store.index.get(key);
  // A message-only reply is no task (SEMANTICS 6), and one that was removed is none any more.
  if (row === undefined) {
    known.delete(name);
    return "gone";
  }
  const { context, state, statusAt } = row;
  const document = { key, context, state, statusAt };
  const stands = `${state} ${statusAt}`;
  const rests = isTerminal(state) || isInterrupted(state);
  const before = rests ? undefined : known.get(name);
  if (before === stands) return undefined;
  if (rests) known.delete(name);
  else if (known.size < MAX_KNOWN || known.has(name)) known.set(name, stands);
  if (before !== undefined) return document;
  const text = await views.with(key, (view) => textOf(view.fold.task()));
  return text === undefined ? undefined : { ...document, text };
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
