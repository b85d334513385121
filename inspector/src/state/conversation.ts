import { type ReadonlySignal, signal } from "@preact/signals";
import { isInterrupted, isTerminal, type Message, type Part } from "../../../src/lib/model/a2a.ts";
import type { SendReply, TaskSummaryPage } from "../../../src/lib/model/api.ts";
import { IasError } from "../../../src/lib/model/errors.ts";
import { callApi } from "./call.ts";
import { openStream, type StreamStore } from "./stream.ts";

/** A conversation with one agent: its tasks, oldest first, and what was just said. Whoever made it closes it. */
export interface Conversation {
  readonly agent: string;
  /** The contextId; undefined until the first answer. */
  readonly context: ReadonlySignal<string | undefined>;
  readonly turns: ReadonlySignal<readonly Turn[]>;
  /** Said, and not yet in a stream. */
  readonly pending: ReadonlySignal<readonly Message[]>;
  readonly problem: ReadonlySignal<IasError | undefined>;
  readonly loading: ReadonlySignal<boolean>;
  /** Whether there are tasks before the first. */
  readonly hasEarlier: ReadonlySignal<boolean>;
  /** The task that goes on or waits; undefined when all is said. */
  current(): StreamStore | undefined;
  /** Sends to the task that waits for an answer, or begins the conversation's next task. What fails stands in `problem`; true if it was taken. */
  send(parts: readonly Part[]): Promise<boolean>;
  cancel(): Promise<void>;
  approve(stream: StreamStore, call: string, approve: boolean): Promise<void>;
  earlier(): Promise<void>;
  close(): void;
}

/** A task, or an answer without one. */
export type Turn = { readonly kind: "task"; readonly stream: StreamStore } | { readonly kind: "reply"; readonly said: Message; readonly answer: Message };

/** Tasks of a conversation that are read at once. */
const PAGE = 20;

/** A conversation: one that exists, or a new one. */
export function createConversation(agent: string, given?: string): Conversation {
  const context = signal<string | undefined>(given);
  const turns = signal<readonly Turn[]>([]);
  const pending = signal<readonly Message[]>([]);
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
  const post = async (message: Message, taskId: string | undefined): Promise<void> => {
    const { messageId, parts } = message;
    const body = { messageId, parts, ...(taskId !== undefined && { taskId }), ...(context.peek() !== undefined && { contextId: context.peek() }) };
    const path = `/api/agents/${encodeURIComponent(agent)}/messages`;
    // The same messageId is taken once, so that a lost answer is no reason to lose or repeat what was said.
    const reply = await callApi<SendReply>(path, { method: "POST", body }).catch((error: unknown) => {
      if (error instanceof IasError && error.code === "unavailable" && error.retryable) return callApi<SendReply>(path, { method: "POST", body });
      throw error;
    });
    if (closed) return;
    if ("message" in reply) {
      turns.value = [...turns.peek(), { kind: "reply", said: message, answer: reply.message }];
      context.value ??= reply.message.contextId;
      pending.value = pending.peek().filter((one) => one !== message);
      return;
    }
    context.value = reply.context;
    if (turns.peek().some((turn) => turn.kind === "task" && turn.stream.task === reply.task)) return;
    turns.value = [...turns.peek(), { kind: "task", stream: openStream(agent, reply.task) }];
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
    async send(parts) {
      problem.value = undefined;
      const now = current();
      const state = now?.state.peek();
      const taskId = now !== undefined && state !== undefined && isInterrupted(state) ? now.task : undefined;
      const message: Message = { messageId: crypto.randomUUID(), role: "ROLE_USER", parts };
      pending.value = [...pending.peek(), message];
      try {
        await post(message, taskId);
        return true;
      } catch (error) {
        pending.value = pending.peek().filter((one) => one !== message);
        problem.value = IasError.from(error);
        return false;
      }
    },
    async cancel() {
      const now = current();
      if (now === undefined) return;
      try {
        await callApi(`/api/tasks/${encodeURIComponent(now.task)}/cancel`, { method: "POST", query: { agent } });
      } catch (error) {
        problem.value = IasError.from(error);
      }
    },
    async approve(stream, call, approve) {
      try {
        await callApi(`/api/tasks/${encodeURIComponent(stream.task)}/approvals`, {
          method: "POST",
          query: { agent },
          body: { call, approve, messageId: crypto.randomUUID() },
        });
      } catch (error) {
        problem.value = IasError.from(error);
      }
    },
    earlier: load,
    close() {
      closed = true;
      for (const turn of turns.peek()) if (turn.kind === "task") turn.stream.close();
    },
  };
}
