import { type ReadonlySignal, signal } from "@preact/signals";
import { isInterrupted, isTerminal, type Message, type Part } from "../../../src/lib/model/a2a.ts";
import type { TaskSummaryPage } from "../../../src/lib/model/api.ts";
import { IasError } from "../../../src/lib/model/errors.ts";
import { callApi } from "./call.ts";
import { cancelTask, decideCall, messageFrom, sendMessage } from "./steer.ts";
import { openStream, type StreamStore } from "./stream.ts";

/** A conversation with one agent: its tasks, oldest first, and what was just said. Whoever made it closes it. */
export interface Conversation {
  readonly agent: string;
  /** The contextId; undefined until the first answer. */
  readonly context: ReadonlySignal<string | undefined>;
  readonly turns: ReadonlySignal<readonly Turn[]>;
  /** Said, and not yet in a stream. */
  readonly pending: ReadonlySignal<readonly Pending[]>;
  readonly problem: ReadonlySignal<IasError | undefined>;
  readonly loading: ReadonlySignal<boolean>;
  /** Whether there are tasks before the first. */
  readonly hasEarlier: ReadonlySignal<boolean>;
  /** The task that goes on or waits; undefined when all is said. */
  current(): StreamStore | undefined;
  /** Sends to the task that waits for an answer, or begins the conversation's next task. What was not taken stays in `pending`, with why. */
  send(parts: readonly Part[]): Promise<void>;
  /** Sends once more what was not taken: as the same message, which is taken once. */
  again(message: Message): Promise<void>;
  /** Gives up what was not taken. */
  discard(message: Message): void;
  /** Answers a form. What fails stands in `problem`; true if it was taken. */
  answer(parts: readonly Part[]): Promise<boolean>;
  cancel(): Promise<void>;
  /** What fails stands in `problem`; true if it was taken. */
  approve(stream: StreamStore, call: string, approve: boolean): Promise<boolean>;
  earlier(): Promise<void>;
  close(): void;
}

/** What was said and is in no stream yet; with `problem` the server did not take it. */
export interface Pending {
  readonly message: Message;
  readonly problem?: IasError;
}

/** A task, or an answer without one. */
export type Turn = { readonly kind: "task"; readonly stream: StreamStore } | { readonly kind: "reply"; readonly said: Message; readonly answer: Message };

/** Tasks of a conversation that are read at once. */
const PAGE = 20;

/** A conversation: one that exists, or a new one. */
export function createConversation(agent: string, given?: string): Conversation {
  const context = signal<string | undefined>(given);
  const turns = signal<readonly Turn[]>([]);
  const pending = signal<readonly Pending[]>([]);
  const problem = signal<IasError | undefined>(undefined);
  const loading = signal(given !== undefined);
  const hasEarlier = signal(false);
  let pageToken = "";
  let closed = false;

  const load = async (): Promise<void> => {
    try {
      const page = await callApi<TaskSummaryPage>("/api/tasks", { query: { agent, context: given, pageSize: PAGE, pageToken } });
      if (closed) return;
      pageToken = page.nextPageToken;
      hasEarlier.value = pageToken !== "";
      const known = new Set(turns.peek().map((turn) => (turn.kind === "task" ? turn.stream.task : "")));
      const fresh = page.tasks.filter(({ task }) => !known.has(task)).sort((a, b) => a.createdAt - b.createdAt);
      turns.value = [...fresh.map(({ task }) => ({ kind: "task", stream: openStream(agent, task) }) as const), ...turns.peek()];
    } catch (error) {
      problem.value = IasError.from(error);
    } finally {
      loading.value = false;
    }
  };
  const current = (): StreamStore | undefined => {
    const last = turns.peek().findLast((turn) => turn.kind === "task")?.stream;
    const state = last?.state.peek();
    return last !== undefined && (state === undefined || !isTerminal(state)) ? last : undefined;
  };
  const discard = (message: Message): void => {
    pending.value = pending.peek().filter((one) => one.message !== message);
  };
  const post = async (message: Message): Promise<void> => {
    const now = current();
    const state = now?.state.peek();
    const taskId = now !== undefined && state !== undefined && isInterrupted(state) ? now.task : undefined;
    const reply = await sendMessage(agent, message, { taskId, contextId: context.peek() });
    if (closed) return;
    if ("message" in reply) {
      turns.value = [...turns.peek(), { kind: "reply", said: message, answer: reply.message }];
      context.value ??= reply.message.contextId;
      discard(message);
      return;
    }
    context.value = reply.context;
    if (turns.peek().some((turn) => turn.kind === "task" && turn.stream.task === reply.task)) return;
    turns.value = [...turns.peek(), { kind: "task", stream: openStream(agent, reply.task) }];
  };
  const say = async (message: Message): Promise<void> => {
    problem.value = undefined;
    const isKnown = pending.peek().some((one) => one.message === message);
    pending.value = isKnown ? pending.peek().map((one) => (one.message === message ? { message } : one)) : [...pending.peek(), { message }];
    try {
      await post(message);
    } catch (error) {
      const why = IasError.from(error);
      pending.value = pending.peek().map((one) => (one.message === message ? { message, problem: why } : one));
    }
  };
  /** Does what may fail: true if it did not. */
  const attempt = async (work: () => Promise<void>): Promise<boolean> => {
    problem.value = undefined;
    try {
      await work();
      return true;
    } catch (error) {
      problem.value = IasError.from(error);
      return false;
    }
  };

  if (given !== undefined) void load();
  return {
    agent,
    context,
    turns,
    pending,
    problem,
    loading,
    hasEarlier,
    current,
    send: (parts) => say(messageFrom(parts)),
    again: say,
    discard,
    answer: (parts) => attempt(() => post(messageFrom(parts))),
    async cancel() {
      const now = current();
      if (now !== undefined) await attempt(() => cancelTask(agent, now.task));
    },
    approve: (stream, call, approve) => attempt(() => decideCall(agent, stream.task, call, approve)),
    earlier: load,
    close() {
      closed = true;
      for (const turn of turns.peek()) if (turn.kind === "task") turn.stream.close();
    },
  };
}
