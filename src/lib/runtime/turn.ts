import type { Agent } from "../engine/agent.ts";
import type { AgentEvent, Turn } from "../engine/engine.ts";
import type { Opened, ResumeState } from "../log/log.ts";
import type { ListedTask } from "../log/task-index.ts";
import type { Json, JsonObject, Part } from "../model/a2a.ts";
import { EXTENSION_URI } from "../model/entry.ts";
import { IasError } from "../model/errors.ts";
import { newId } from "../model/ids.ts";
import { conversation, loadView, type TaskView } from "../task/view.ts";
import type { CancelRequest, Input } from "./runtime.ts";
import type { RuntimeParts } from "./parts.ts";
import { createScribe, type Draft, type Scribe } from "./scribe.ts";
import { createTurnWriter, type TurnWriter } from "./turn-writer.ts";

/** A task whose turns run here, as the runtime holds it. */
export interface RunningTask {
  /** Resolves when no turn of the task runs here any more. Never rejects. */
  readonly done: Promise<void>;
  input(input: Input): Promise<"recorded" | "idle">;
  cancel(request: CancelRequest): "asked" | "idle";
  /** Stops without a word in the log, for recovery to go on with. */
  abandon(reason: IasError): void;
  renew(): void;
}

/** Why a turn's engine was told to stop. */
type Stop = { readonly kind: "cancel"; readonly request: CancelRequest } | { readonly kind: "next-input" } | { readonly kind: "abandon" } | { readonly kind: "too-long" };

/** What a turn came to: the task rests, or the next turn starts at once, with the state that this one left. */
type Outcome = "rest" | { readonly next: ResumeState | undefined };

/**
 * Runs the turns of a task that `opened` has taken, until none is due: the first is new, or a restart of one whose owner died (`restart`).
 * Writes WORKING, what the engine does, and how it ended.
 */
export function runTask(parts: RuntimeParts, agent: Agent, row: ListedTask, opened: Opened, restart: boolean): RunningTask {
  let stop: ((why: Stop) => void) | undefined;
  let writer: TurnWriter | undefined;
  let view: TaskView | undefined;
  let over = false;

  const run = async (): Promise<void> => {
    const loaded = await loadView(parts.store.log, row.key);
    if (loaded === undefined) return;
    view = loaded.view;
    let attempt = restart ? opened.attempt + 1 : 1;
    let resume: ResumeState | undefined = opened.state;
    let first = true;
    for (;;) {
      writer = createTurnWriter({
        log: parts.store.log,
        key: row.key,
        context: row.context,
        createdAt: row.createdAt,
        opened: first ? opened : { ...opened, nextSeq: view.fold.seq + 1, gen: view.fold.gen },
        attempt,
        view,
        maxUncommittedBytes: parts.limits.maxUncommittedBytes,
        now: parts.now,
      });
      const outcome = await runTurn(parts, agent, row, opened.epoch, view, writer, { attempt, restart: restart && first, resume }, (handler) => (stop = handler));
      stop = undefined;
      await writer.flushed();
      if (outcome === "rest") return;
      first = false;
      attempt = 1;
      resume = outcome.next;
    }
  };
  const done = run()
    .catch((error: unknown) => parts.report(IasError.from(error), row.key))
    .finally(() => {
      over = true;
    });

  return {
    done,
    async input(input) {
      if (over || view === undefined || writer === undefined || writer.lost.aborted || stop === undefined) return "idle";
      const unread = view.ledger.unread().length;
      if (agent.onInput === "reject") {
        throw new IasError("unsupported-operation", "The task is working and takes no message until its turn ends.", { reason: "TASK_BUSY", retryable: true });
      }
      if (unread >= parts.limits.maxQueuedPerConversation) {
        throw new IasError("limit-reached", `${unread} messages wait in this task (maxQueuedPerConversation); send this one later.`, { reason: "QUEUE_FULL", retryable: true });
      }
      const scribe = createScribe({ task: row.key.task, context: row.context, agent, limits: parts.limits, view, turn: view.ledger.turn, now: parts.now });
      writer.write([scribe.aside("internal", { kind: "input", message: input.message, user: input.principal.user })]);
      if (agent.onInput === "interrupt") stop({ kind: "next-input" });
      await writer.flushed();
      return "recorded";
    },
    cancel(request) {
      if (over || stop === undefined) return "idle";
      stop({ kind: "cancel", request });
      return "asked";
    },
    abandon: () => stop?.({ kind: "abandon" }),
    renew: () => writer?.renew(),
  };
}

async function runTurn(
  parts: RuntimeParts,
  agent: Agent,
  row: ListedTask,
  epoch: number,
  view: TaskView,
  writer: TurnWriter,
  start: { attempt: number; restart: boolean; resume: ResumeState | undefined },
  onStop: (handler: (why: Stop) => void) => void,
): Promise<Outcome> {
  const { key } = row;
  const number = start.restart ? Math.max(1, view.ledger.turn) : view.ledger.turn + 1;
  const scribe = createScribe({ task: key.task, context: row.context, agent, limits: parts.limits, view, turn: number, now: parts.now });
  const reads = view.ledger.unread().at(-1)?.seq ?? view.ledger.reads;
  if (start.restart) {
    const refusal = await restartEntries(parts, agent, row, view, scribe, start.attempt);
    writer.write(refusal.drafts);
    if (refusal.over) return "rest";
  } else writer.write([scribe.aside("internal", { kind: "turn", turn: number, reads }), scribe.status("TASK_STATE_WORKING")]);
  // The engine starts only under a committed WORKING, so that two runtimes which took the same task never both run it.
  await writer.flushed();

  const abort = new AbortController();
  const ended = Promise.withResolvers<Stop>();
  let stopped = false;
  const stop = (why: Stop): void => {
    if (stopped) return;
    stopped = true;
    ended.resolve(why);
    abort.abort(new IasError("aborted", `The turn was stopped: ${why.kind}.`));
  };
  onStop(stop);
  const onLost = (): void => stop({ kind: "abandon" });
  writer.lost.addEventListener("abort", onLost, { once: true });
  const timer = Number.isFinite(parts.limits.maxTurnMs) ? setTimeout(() => stop({ kind: "too-long" }), parts.limits.maxTurnMs) : undefined;
  try {
    const turn = createTurn(parts, row, epoch, view, start);
    const consumed = consume(parts, agent, row, turn, scribe, writer, abort.signal, () => stopped);
    const result = await Promise.race([consumed, ended.promise]);
    if (typeof result === "function") return result(view.ledger.unread().length > 0);
    switch (result.kind) {
      case "abandon":
        return "rest";
      case "next-input":
        return { next: start.resume };
      case "cancel":
        writer.write([
          scribe.aside("internal", { kind: "cancel", user: result.request.principal.user, ...(result.request.reason !== undefined && { reason: result.request.reason }) }),
          scribe.status("TASK_STATE_CANCELED"),
        ]);
        return "rest";
      case "too-long":
        writer.write([failed(scribe, new IasError("timeout", `The turn took longer than maxTurnMs (${parts.limits.maxTurnMs}).`, { reason: "TURN_TOO_LONG" }))]);
        return "rest";
    }
  } finally {
    stopped = true;
    clearTimeout(timer);
    writer.lost.removeEventListener("abort", onLost);
  }
}

/** How a turn ends, given whether inputs came in meanwhile: decided in the very tick in which the end is written. */
type Ending = (unread: boolean) => Outcome;

/** Pulls the engine, one event at a time, only when there is room. Never throws: a failure is an ending. */
async function consume(
  parts: RuntimeParts,
  agent: Agent,
  row: ListedTask,
  turn: Turn,
  scribe: Scribe,
  writer: TurnWriter,
  signal: AbortSignal,
  stopped: () => boolean,
): Promise<Ending> {
  const rest =
    (drafts: readonly Draft[], state?: ResumeState | null): Ending =>
    (unread) => {
      // COMPLETED is not written while an input is unread: the task's next turn takes it up (SEMANTICS 17).
      if (unread) return { next: state ?? undefined };
      writer.write(drafts, state === undefined ? {} : { state });
      return "rest";
    };
  const final = (draft: Draft): Ending => {
    return () => {
      writer.write([draft]);
      return "rest";
    };
  };
  try {
    for await (const event of agent.engine.run(turn, { signal })) {
      if (stopped()) return () => "rest";
      switch (event.kind) {
        case "interrupt": {
          const message = event.approvals === undefined ? event.message : scribe.approvals(event.message, event.approvals);
          const status = scribe.status(event.reason === "auth" ? "TASK_STATE_AUTH_REQUIRED" : "TASK_STATE_INPUT_REQUIRED", message && (await parts.media.store(row.key, message, "agent")));
          return rest([status], event.state ?? null);
        }
        case "reply":
          return reply(parts, agent, row, event, scribe, writer);
        case "end": {
          const message = event.message && (await parts.media.store(row.key, event.message, "agent"));
          if (event.outcome === "completed") return rest([scribe.status("TASK_STATE_COMPLETED", message, event.metadata)]);
          return final(scribe.status(event.outcome === "failed" ? "TASK_STATE_FAILED" : "TASK_STATE_REJECTED", message, event.metadata));
        }
        case "checkpoint":
          writer.write([scribe.aside("internal", { kind: "checkpoint" })], { state: event.state });
          break;
        case "artifact": {
          const stored = await parts.media.store(row.key, event.artifact.parts, "agent");
          writer.write(scribe.write({ ...event, artifact: { ...event.artifact, parts: stored } }));
          break;
        }
        case "status":
          writer.write(scribe.write(event.message === undefined ? event : { ...event, message: await parts.media.store(row.key, event.message, "agent") }));
          break;
        default:
          writer.write(scribe.write(event));
      }
      const full = writer.ready();
      if (full !== undefined) await full;
    }
    return rest([scribe.status("TASK_STATE_COMPLETED")]);
  } catch (error) {
    if (stopped()) return () => "rest";
    const known = IasError.from(error, "engine-failed");
    parts.report(known, row.key);
    return final(failed(scribe, error instanceof IasError ? known : new IasError("engine-failed", "The agent failed with an unexpected error; the server's log has it.", { cause: error })));
  }
}

function reply(parts: RuntimeParts, agent: Agent, row: ListedTask, event: Extract<AgentEvent, { kind: "reply" }>, scribe: Scribe, writer: TurnWriter): Ending {
  if (agent.replies === "task") {
    const error = new IasError("invalid-agent-response", `The agent ${agent.id} replied with a message, but it is defined with replies: "task".`);
    parts.report(error, row.key);
    return () => {
      writer.write([failed(scribe, error)]);
      return "rest";
    };
  }
  return () => {
    const message = {
      messageId: newId(),
      role: "ROLE_AGENT" as const,
      contextId: row.context,
      parts: event.parts,
      ...(event.metadata !== undefined && { metadata: event.metadata }),
    };
    writer.write([scribe.aside("internal", { kind: "reply", message })], { seal: true, unlist: true, state: null });
    return "rest";
  };
}

/** What a restart writes first: the end, if the crash policy says so; else the old attempt is closed and its artifacts are void (SEMANTICS 19). */
async function restartEntries(parts: RuntimeParts, agent: Agent, row: ListedTask, view: TaskView, scribe: Scribe, attempt: number): Promise<{ drafts: readonly Draft[]; over: boolean }> {
  const tools = view.ledger.unrepeatable();
  if (agent.onCrash === "fail" || (agent.onCrash === "safe" && tools.length > 0)) {
    const what = tools.length > 0 ? `after it had started ${tools.join(", ")}, which must not run twice by itself` : "and its agent is not restarted by itself";
    const error = new IasError("engine-failed", `The server stopped in the middle of this turn, ${what}. Send the message again to start over.`, {
      reason: "TURN_INTERRUPTED",
      retryable: true,
      ...(tools.length > 0 && { details: { tools: tools.join(",") } }),
    });
    return { drafts: [failed(scribe, error)], over: true };
  }
  const before = (await loadView(parts.store.log, row.key, view.ledger.startedAt))?.view.fold.task()?.artifacts ?? [];
  const drafts = [scribe.aside("extension", { kind: "attempt", attempt, reason: "the server stopped in the middle of the turn" })];
  for (const artifact of view.fold.task()?.artifacts ?? []) {
    const old = before.find((candidate) => candidate.artifactId === artifact.artifactId);
    if (JSON.stringify(old) !== JSON.stringify(artifact)) drafts.push(scribe.supersede(artifact.artifactId, old, attempt));
  }
  return { drafts: [...drafts, scribe.status("TASK_STATE_WORKING")], over: false };
}

function failed(scribe: Scribe, error: IasError): Draft {
  const failure: JsonObject = {
    kind: "failure",
    code: error.code,
    retryable: error.retryable,
    ...(error.reason !== undefined && { reason: error.reason }),
    ...(Object.keys(error.details).length > 0 && { details: error.details as Json }),
  };
  return scribe.status("TASK_STATE_FAILED", [{ text: error.message }], { [EXTENSION_URI]: failure });
}

function createTurn(parts: RuntimeParts, row: ListedTask, epoch: number, view: TaskView, start: { attempt: number; resume: ResumeState | undefined }): Turn {
  const { key } = row;
  const current = view.fold.task();
  if (current === undefined) throw new IasError("corrupt", `The stream of task ${key.task} does not begin with its task.`);
  const earlier = conversation(view);
  const input = view.ledger.turns().at(-1)?.inputs ?? [];
  const read = new Set(input);
  return {
    principal: { tenant: key.tenant, user: key.user },
    agent: key.agent,
    task: key.task,
    context: row.context,
    attempt: start.attempt,
    epoch,
    input,
    current,
    history: async () => {
      const before = await parts.history(key, row.context, row.createdAt);
      return [...before, ...earlier.filter((message) => !read.has(message))].slice(-parts.limits.maxHistoryMessages);
    },
    references: () => parts.references(key, input),
    load: (part: Part) => parts.media.load(key, part),
    ...(start.resume !== undefined && { state: start.resume }),
    metadata: input.at(-1)?.metadata ?? {},
  };
}
