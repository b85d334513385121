import { setImmediate as nextTurn } from "node:timers/promises";
import type { EventLog, Page } from "../log/log.ts";
import type { Message, StreamResponse, Task } from "../model/a2a.ts";
import { decodeEvent, type Entry } from "../model/entry.ts";
import { createFold, type Fold } from "../model/fold.ts";
import { keyText, type StreamKey } from "../model/key.ts";
import { createLedger, type Ledger, type LedgerState } from "./ledger.ts";

/** What a stream amounts to: the public Task and the turns' ledger, kept up to `fold.seq`. */
export interface TaskView {
  readonly fold: Fold;
  readonly ledger: Ledger;
  apply(entry: Entry, event?: StreamResponse): void;
}

/** An empty view. */
export function createTaskView(): TaskView {
  const fold = createFold();
  const ledger = createLedger();
  return {
    fold,
    ledger,
    apply(entry, event) {
      const decoded = event ?? (needsDecoding(entry) ? decodeEvent(entry) : undefined);
      fold.apply(entry, decoded);
      if (decoded !== undefined) ledger.apply(entry, decoded);
    },
  };
}

/** Public entries change the fold; of the others only ledger entries matter, and they are told by their text without decoding. */
function needsDecoding(entry: Entry): boolean {
  return entry.audience === "public" || /"kind":"(?:input|turn|checkpoint|tool-call|tool-result)"/.test(entry.event);
}

/** Reads a stream from its floor to its head into a new view; undefined if there is no such stream. `until` stops after that entry. */
export async function loadView(log: EventLog, key: StreamKey, until = Number.POSITIVE_INFINITY): Promise<{ view: TaskView; page: Page } | undefined> {
  const view = createTaskView();
  const page = await advance(log, key, view, until);
  return page && { view, page };
}

async function advance(log: EventLog, key: StreamKey, view: TaskView, until = Number.POSITIVE_INFINITY): Promise<Page | undefined> {
  for (;;) {
    const page = await log.read(key, { after: view.fold.seq });
    if (page === undefined) return undefined;
    if (view.fold.seq === 0 && page.snapshot !== undefined) {
      restore(view, page.snapshot, page.floor);
    }
    for (const entry of page.entries) {
      if (entry.seq > until) return page;
      if (entry.seq > view.fold.seq) view.apply(entry);
    }
    if (view.fold.seq >= page.head || view.fold.seq >= until) return page;
    // A long stream is folded page by page, and others get their turn in between.
    await nextTurn();
  }
}

/** What stands for the entries up to `view.fold.seq` when they go: the Task and the turns' ledger. Undefined while there is no Task. */
export function toSnapshot(view: TaskView): string | undefined {
  const task = view.fold.task();
  return task && JSON.stringify({ task, ledger: view.ledger.state() } satisfies Snapshot);
}

interface Snapshot {
  readonly task: Task;
  readonly ledger: LedgerState;
}

function restore(view: TaskView, snapshot: string, floor: number): void {
  const said = JSON.parse(snapshot) as Snapshot | Task;
  // Before the ledger went with it a snapshot was the Task alone: then what came before counts as read.
  const { task, ledger } = "ledger" in said ? said : { task: said, ledger: { startedAt: 0, reads: floor, unread: [], tools: [], turns: [] } };
  view.fold.restore(task, floor);
  view.ledger.restore(ledger);
}

/** Folded tasks by key, advanced from the log when asked for. */
export interface TaskViews {
  /**
   * The view at the head of the stream and the page that says so, or undefined. `use` runs while nobody else advances the view;
   * it must not keep it.
   */
  with<T>(key: StreamKey, use: (view: TaskView, page: Page) => T): Promise<T | undefined>;
}

/** How much is kept folded: views, and UTF-16 units of their contents. */
export interface TaskViewLimits {
  /** Default 256. */
  readonly maxViews?: number;
  /** Default 32 Mi; the view used last is kept whatever its size. */
  readonly maxSize?: number;
}

/** Keeps the views used last; one that fell below the stream's floor is folded anew. */
export function createTaskViews(log: EventLog, options: TaskViewLimits = {}): TaskViews {
  const { maxViews = 256, maxSize = 32 * 1024 * 1024 } = options;
  const cached = new Map<string, { view: TaskView; tail: Promise<unknown>; size: number }>();
  let total = 0;

  const forget = (text: string): void => {
    total -= cached.get(text)?.size ?? 0;
    cached.delete(text);
  };
  const trim = (used: string): void => {
    for (const old of cached.keys()) {
      if (cached.size <= maxViews && total <= maxSize) return;
      if (old !== used) forget(old);
    }
  };

  return {
    with(key, use) {
      const text = keyText(key);
      const slot = cached.get(text) ?? { view: createTaskView(), tail: Promise.resolve(), size: 0 };
      cached.delete(text);
      cached.set(text, slot);
      const step = slot.tail.then(async () => {
        let page = await log.read(key, { after: slot.view.fold.seq, maxBytes: 0 });
        if (page !== undefined && slot.view.fold.seq > 0 && slot.view.fold.seq < page.floor) slot.view = createTaskView();
        if (page !== undefined && (page.head > slot.view.fold.seq || page.floor > slot.view.fold.seq)) page = await advance(log, key, slot.view);
        if (page === undefined) {
          if (cached.get(text) === slot) forget(text);
          return undefined;
        }
        if (cached.get(text) === slot) {
          const { size } = slot.view.fold;
          total += size - slot.size;
          slot.size = size;
          trim(text);
        }
        return use(slot.view, page);
      });
      slot.tail = step.catch(() => cached.get(text) === slot && forget(text));
      return step;
    },
  };
}

/** What was said in a task so far, oldest first: inputs, the agent's status messages, and each turn's artifacts as one message of the agent. */
export function conversation(view: TaskView): readonly Message[] {
  const task = view.fold.task();
  if (task === undefined) return [];
  const said: Message[] = [];
  const artifacts = new Map((task.artifacts ?? []).map((artifact) => [artifact.artifactId, artifact]));
  for (const turn of view.ledger.turns()) {
    said.push(...turn.inputs);
    const parts = turn.artifacts.flatMap((id) => artifacts.get(id)?.parts ?? []);
    if (parts.length > 0) said.push({ messageId: `${task.id}-turn-${turn.turn}`, role: "ROLE_AGENT", contextId: task.contextId, taskId: task.id, parts });
    said.push(...turn.replies);
  }
  return said;
}
