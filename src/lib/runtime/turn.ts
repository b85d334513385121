import type { Agent } from "../engine/agent.ts";
import type { Opened, ResumeState } from "../log/log.ts";
import type { ListedTask } from "../log/task-index.ts";
import { IasError } from "../model/errors.ts";
import { loadView, type TaskView } from "../task/view.ts";
import { consume } from "./consume.ts";
import { failedStatus } from "./failed-status.ts";
import type { TurnParts } from "./parts.ts";
import { restartEntries } from "./restart-entries.ts";
import { type CancelRequest, type Input, queueFull } from "./runtime.ts";
import { createScribe } from "./scribe.ts";
import type { Outcome, TurnRun } from "./turn-run.ts";
import { createTurnLiveness } from "./turn-liveness.ts";
import { createTurnWriter, type TurnWriter } from "./turn-writer.ts";

/** A task whose turns run here, as the runtime holds it. */
export interface RunningTask {
  /** Resolves when no turn of the task runs here any more. Never rejects. */
  readonly done: Promise<void>;
  /** As `Runtime.input`. */
  input(input: Input): Promise<"recorded" | "idle">;
  /** As `Runtime.cancel`. */
  cancel(request: CancelRequest): "asked" | "idle";
  /** Stops without a word in the log, for recovery to go on with. */
  abandon(): void;
  /** Renews the lease, if nothing else did since the last call. */
  renew(): void;
}

/** Why a turn's engine was told to stop. */
type Stop =
  | { readonly kind: "cancel"; readonly request: CancelRequest }
  | { readonly kind: "next-input" }
  | { readonly kind: "abandon" }
  | { readonly kind: "too-long" }
  | { readonly kind: "stalled"; readonly error: IasError };

/**
 * Runs the turns of a task that `opened` has taken, until none is due: the first is new, or a restart of one whose owner died (`restart`).
 * Writes WORKING, what the engine does, and how it ended.
 */
export function runTask(parts: TurnParts, agent: Agent, row: ListedTask, opened: Opened, restart: boolean): RunningTask {
  let stop: ((why: Stop) => void) | undefined;
  let writer: TurnWriter | undefined;
  let view: TaskView | undefined;
  let over = false;
  let abandoned = false;
  let hasBegun = false;

  const run = async (): Promise<void> => {
    const loaded = await loadView(parts.store.log, row.key);
    if (loaded === undefined) return;
    view = loaded.view;
    let attempt = restart ? opened.attempt + 1 : 1;
    let resume: ResumeState | undefined = opened.state;
    let first = true;
    while (!abandoned) {
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
      const start = { attempt, restart: restart && first, resume };
      const turn = start.restart ? Math.max(1, view.ledger.turn) : view.ledger.turn + 1;
      const scribe = createScribe({ task: row.key.task, context: row.context, agent, limits: parts.limits, view, turn, now: parts.now });
      const outcome = await runTurn({ parts, agent, row, epoch: opened.epoch, view, writer, scribe, start }, turn, (handler) => {
        stop = handler;
        hasBegun = true;
        if (abandoned) handler({ kind: "abandon" });
      });
      stop = undefined;
      await writer.flushed();
      if (outcome === "rest") return;
      first = false;
      attempt = 1;
      resume = outcome.next;
    }
  };
  const done = run()
    .catch((thrown: unknown) => {
      const error = IasError.from(thrown);
      // A message that came just before the turn began took the stream: nothing was started, and the next turn reads it.
      if (hasBegun || error.code !== "fenced") parts.report(error, row.key);
    })
    .finally(() => {
      over = true;
    });

  return {
    done,
    async input(input) {
      if (over || view === undefined || writer === undefined || writer.lost.aborted || stop === undefined) return "idle";
      // The end of the turn may be written and not yet committed: then nothing reads another input.
      if (view.fold.status?.state !== "TASK_STATE_WORKING") return "idle";
      const unread = view.ledger.unread().length;
      if (agent.onInput === "reject") {
        throw new IasError("unsupported-operation", "The task is working and takes no message until its turn ends.", { reason: "TASK_BUSY", retryable: true });
      }
      if (unread >= parts.limits.maxQueuedPerConversation) {
        throw queueFull(`${unread} messages wait in this task`, "maxQueuedPerConversation");
      }
      const scribe = createScribe({ task: row.key.task, context: row.context, agent, limits: parts.limits, view, turn: view.ledger.turn, now: parts.now });
      writer.write([scribe.aside("internal", { kind: "input", message: input.message, user: input.principal.user })], { records: input.records ?? [] });
      const { seq } = view.fold;
      if (agent.onInput === "interrupt") stop({ kind: "next-input" });
      try {
        await writer.flushed();
      } catch (thrown) {
        const error = IasError.from(thrown);
        // Whoever took the stream before the message was committed has to be given it.
        if (!writer.hasCommitted(seq)) {
          if (error.code === "fenced") return "idle";
          throw error;
        }
      }
      return "recorded";
    },
    cancel(request) {
      if (over || stop === undefined) return "idle";
      stop({ kind: "cancel", request });
      return "asked";
    },
    abandon() {
      abandoned = true;
      stop?.({ kind: "abandon" });
    },
    renew: () => writer?.renew(),
  };
}

async function runTurn(run: TurnRun, number: number, onStop: (handler: (why: Stop) => void) => void): Promise<Outcome> {
  const { parts, view, writer, scribe, start } = run;
  if (start.restart) {
    const begin = await restartEntries(run);
    writer.write(begin.drafts);
    if (begin.over) return "rest";
  } else {
    const reads = view.ledger.unread().at(-1)?.seq ?? view.ledger.reads;
    writer.write([scribe.aside("internal", { kind: "turn", turn: number, reads }), scribe.status("TASK_STATE_WORKING")]);
  }
  // The engine starts only under a committed WORKING, so that two runtimes which took the same task never both run it.
  await writer.flushed();

  const abort = new AbortController();
  const ended = Promise.withResolvers<Stop>();
  let stopped = false;
  const stop = (why: Stop): void => {
    if (stopped) return;
    stopped = true;
    ended.resolve(why);
    abort.abort(new IasError("aborted", `The turn was stopped: ${why.kind}.`, { reason: why.kind === "abandon" ? "TURN_ABANDONED" : "TURN_STOPPED" }));
  };
  onStop(stop);
  const onLost = (): void => stop({ kind: "abandon" });
  writer.lost.addEventListener("abort", onLost, { once: true });
  const timer = Number.isFinite(parts.limits.maxTurnMs) ? setTimeout(() => stop({ kind: "too-long" }), parts.limits.maxTurnMs) : undefined;
  using live = createTurnLiveness({
    ticker: parts.ticker,
    agent: run.agent,
    quietMs: run.agent.replies === "task" ? 0 : parts.limits.replyHoldMs / 2,
    lastSeq: () => view.fold.seq,
    tell: (facts) => writer.write([scribe.aside("extension", { kind: "liveness", ...facts })]),
    onStall: (error) => stop({ kind: "stalled", error }),
  });
  try {
    const result = await Promise.race([consume(run, live, abort.signal, () => stopped), ended.promise]);
    if (typeof result === "function") return result(view.ledger.unread().length > 0);
    switch (result.kind) {
      case "abandon":
        return "rest";
      case "next-input":
        return { next: start.resume };
      case "cancel":
        writer.write([scribe.aside("internal", { kind: "cancel", user: result.request.principal.user }), scribe.status("TASK_STATE_CANCELED")]);
        return "rest";
      case "too-long":
        writer.write([
          failedStatus(scribe, new IasError("timeout", `The turn took longer than maxTurnMs (${parts.limits.maxTurnMs}).`, { reason: "TURN_TOO_LONG" })),
        ]);
        return "rest";
      case "stalled":
        parts.report(result.error, run.row.key);
        writer.write([failedStatus(scribe, result.error)]);
        return "rest";
    }
  } finally {
    stopped = true;
    clearTimeout(timer);
    writer.lost.removeEventListener("abort", onLost);
  }
}
