import { isInterrupted, isTerminal, type StreamResponse, type Task, taskIdOf } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { cursorOf } from "../model/extension.ts";
import { type BackoffOptions, backoffMs } from "./backoff.ts";
import type { StreamItem, StreamOptions } from "./client.ts";
import { createMirror, type Mirror, type Repair } from "./mirror.ts";
import { readStreamResponse } from "./read.ts";
import type { Wire, WireFrame } from "./wire.ts";

/** How streams are kept going. */
export interface FollowPolicy {
  /** The agent gives cursors: resume after them, and sending again attaches. Otherwise: subscribe and compare. */
  readonly hasCursors: boolean;
  /** The agent can be streamed from at all; else its task is polled. */
  readonly streaming: boolean;
  /** A lost stream, or a task that exists, may be subscribed to; else the task is polled from there on. */
  readonly subscribes: boolean;
  /** Lost connections in a row, without news between them, before it gives up. */
  readonly maxReconnects: number;
  readonly backoff: BackoffOptions;
  readonly poll: BackoffOptions;
  /** Silence that counts as a lost connection, ms. */
  readonly idleTimeoutMs: number;
  /** In [0, 1). */
  readonly random: () => number;
  /** Waits; throws `aborted` when the signal aborts. */
  readonly sleep: (ms: number, signal: AbortSignal | undefined) => Promise<void>;
  readonly getTask: (task: string, signal: AbortSignal | undefined) => Promise<Task>;
}

/** What to follow: a message to send, or a task that exists. */
export type FollowStart =
  /** `starts`: the message makes a new task, so an agent that deduplicates answers a repeated send with the task's stream from its first entry. */
  | {
      readonly kind: "send";
      readonly messageId: string;
      readonly starts: boolean;
      readonly open: (signal: AbortSignal | undefined) => AsyncIterable<WireFrame>;
    }
  | { readonly kind: "subscribe"; readonly task: string; readonly after?: string };

interface State {
  task: string | undefined;
  /** The cursor to resume after, and whether what it stands for has arrived whole: frames of one opening share one (SEMANTICS 8). */
  cursor: { readonly text: string; readonly whole: boolean } | undefined;
  readonly mirror: Mirror;
  connections: number;
  /** Connections in a row that brought nothing new. */
  failures: number;
  retryMs: number | undefined;
  mode: "stream" | "poll";
}

/** Connections in a row that ended in order, but without news, before the agent is polled instead. */
const MAX_IDLE_STREAMS = 3;

/** The one loop that keeps a remote stream alive (SEMANTICS 27): open, pass on, and when the connection is lost, come back without losing or repeating content. */
export async function* followRemote(wire: Wire, start: FollowStart, policy: FollowPolicy, options: StreamOptions): AsyncGenerator<StreamItem, void, undefined> {
  const state: State = {
    task: start.kind === "subscribe" ? start.task : undefined,
    cursor: start.kind === "subscribe" && start.after !== undefined ? { text: start.after, whole: true } : undefined,
    mirror: createMirror(start.kind === "send" ? { sent: start.messageId } : {}),
    connections: 0,
    failures: 0,
    retryMs: undefined,
    mode: start.kind === "send" || (policy.streaming && policy.subscribes) ? "stream" : "poll",
  };
  while (state.mode === "stream") {
    let lost: IasError | undefined;
    try {
      state.failures += 1;
      for await (const item of connect(wire, start, state, policy, options)) {
        state.failures = 0;
        yield item;
        if (endsAt(item.event, start.kind)) return;
      }
      if (isOver(state, start.kind, policy)) return;
    } catch (error) {
      lost = IasError.from(error, "remote-failed");
      await decide(lost, start, state, policy);
    }
    const isIdle = lost === undefined && state.failures >= MAX_IDLE_STREAMS;
    if (state.task !== undefined && (!policy.streaming || !policy.subscribes || isIdle)) state.mode = "poll";
    if (state.mode === "stream") await pause(state, policy, options, lost);
  }
  yield* poll(start, state, policy, options);
}

/** One connection from its opening to its end. */
async function* connect(
  wire: Wire,
  start: FollowStart,
  state: State,
  policy: FollowPolicy,
  options: StreamOptions,
): AsyncGenerator<StreamItem, void, undefined> {
  state.connections += 1;
  const resumes = state.cursor?.whole === true;
  let frames = 0;
  for await (const frame of openFrames(wire, start, state, policy, options.signal)) {
    frames += 1;
    if (frames === 1) options.onConnection?.({ kind: "open" });
    state.retryMs = frame.retryMs ?? state.retryMs;
    const event = readStreamResponse(frame.payload, wire.version);
    if (event === undefined) continue;
    state.task = taskIdOf(event) ?? state.task;
    const knowsStart = resumes || (state.mirror.isEmpty && start.kind === "send");
    if (frames === 1 && !knowsStart && !("task" in event) && !("message" in event)) {
      // Without a snapshot nobody can say what of this we already have: from here on the task itself is compared.
      state.mode = "poll";
      return;
    }
    const cursor = noteCursor(state, frame, event);
    if ("task" in event && !state.mirror.isEmpty) {
      yield* withCursor(state.mirror.compare(event.task), cursor);
      continue;
    }
    state.mirror.note(event);
    if (!policy.hasCursors && "statusUpdate" in event && isTerminal(event.statusUpdate.status.state)) yield* await verify(state, policy, options);
    yield { event, ...(cursor !== undefined && { cursor }) };
  }
}

function openFrames(wire: Wire, start: FollowStart, state: State, policy: FollowPolicy, signal: AbortSignal | undefined): AsyncIterable<WireFrame> {
  const isWhole = state.cursor?.whole === true;
  if (start.kind === "send" && (state.task === undefined || (policy.hasCursors && start.starts && !isWhole))) return start.open(signal);
  const lastEventId = isWhole && state.cursor !== undefined ? { lastEventId: state.cursor.text } : {};
  return wire.stream("SubscribeToTask", { id: state.task ?? "" }, { idleTimeoutMs: policy.idleTimeoutMs, ...lastEventId, ...(signal && { signal }) });
}

/** Frames of an opening share a cursor; only when another one comes is the opening whole, and only then may it be resumed after. */
function noteCursor(state: State, frame: WireFrame, event: StreamResponse): string | undefined {
  const text = frame.cursor ?? cursorOf(event);
  if (text === undefined) return undefined;
  const opens = "task" in event;
  const whole = !opens && (state.cursor === undefined || state.cursor.whole || state.cursor.text !== text);
  state.cursor = { text, whole };
  return text;
}

/** At the end of a stream without cursors the task is looked at once more, before its last status is passed on. */
async function verify(state: State, policy: FollowPolicy, options: StreamOptions): Promise<readonly StreamItem[]> {
  if (state.task === undefined) return [];
  try {
    const task = await policy.getTask(state.task, options.signal);
    // A store that lags behind the stream would "repair" backwards.
    return isTerminal(task.status.state) ? withCursor(state.mirror.compare(task), undefined) : [];
  } catch (error) {
    if (options.signal?.aborted === true) throw error;
    return [];
  }
}

/** A wait between two looks is this part of the time without news. */
const QUIET_SHARE = 4;

/**
 * The task as it is, until it is over: asked every `poll.baseMs`, and while there is nothing new after a quarter of the time that this has lasted, up to `poll.maxMs`: an
 * answer is seen at most a quarter later than it took. A task may work for days, so only the caller's signal ends that; an agent that cannot be asked is given up after `maxReconnects` failures in a row.
 */
async function* poll(start: FollowStart, state: State, policy: FollowPolicy, options: StreamOptions): AsyncGenerator<StreamItem, void, undefined> {
  options.onConnection?.({ kind: "polling" });
  let quietMs = 0;
  state.failures = 0;
  for (;;) {
    let task: Task | undefined;
    let waitMs: number | undefined;
    try {
      task = await policy.getTask(state.task ?? "", options.signal);
      state.failures = 0;
    } catch (error) {
      const lost = IasError.from(error, "remote-failed");
      state.failures += 1;
      if (!lost.retryable) throw lost;
      if (state.failures > policy.maxReconnects) throw exhausted(lost, policy);
      waitMs = lost.retryAfterMs ?? backoffMs(state.failures, policy.poll, 1);
    }
    if (task !== undefined) {
      const items = state.mirror.isEmpty ? first(task, state) : withCursor(state.mirror.compare(task), undefined);
      if (items.length > 0) quietMs = 0;
      yield* items;
      if (isOver(state, start.kind, policy)) return;
    }
    waitMs ??= Math.min(policy.poll.maxMs, Math.max(policy.poll.baseMs, Math.round(quietMs / QUIET_SHARE)));
    if (task !== undefined) quietMs += waitMs;
    await policy.sleep(waitMs, options.signal);
  }
}

function first(task: Task, state: State): readonly StreamItem[] {
  state.mirror.note({ task });
  return [{ event: { task } }];
}

/** What to do about a lost or refused connection: return to try again (or with `mode` set to poll), throw to give up. */
async function decide(lost: IasError, start: FollowStart, state: State, policy: FollowPolicy): Promise<void> {
  if (lost.code === "aborted") throw lost;
  const refusesSubscribe = lost.code === "unsupported-operation" || lost.code === "method-not-found";
  const subscribed = state.task !== undefined && (start.kind === "subscribe" || state.connections > 1);
  if (refusesSubscribe && subscribed) {
    // Over, or not to be subscribed to: GetTask tells.
    state.mode = "poll";
    return;
  }
  if (state.task === undefined) {
    const refused = lost.code === "limit-reached" || lost.details["httpStatus"] === "503";
    const isSafe = policy.hasCursors || lost.reason === "CONNECT_FAILED" || refused;
    if (!lost.retryable) throw lost;
    if (!isSafe) {
      throw new IasError("unavailable", "The connection was lost before the agent named a task; it may or may not work on the message.", {
        cause: lost,
        reason: "SEND_UNCERTAIN",
      });
    }
  } else if (!lost.retryable && lost.code !== "remote-failed") throw lost;
  if (state.failures > policy.maxReconnects) throw exhausted(lost, policy);
}

function exhausted(lost: IasError, { maxReconnects }: FollowPolicy): IasError {
  return new IasError("unavailable", `The agent could not be reached again in ${maxReconnects} tries: ${lost.message}`, {
    cause: lost,
    retryable: true,
    reason: "RECONNECTS_EXHAUSTED",
  });
}

async function pause(state: State, policy: FollowPolicy, options: StreamOptions, lost: IasError | undefined): Promise<void> {
  const attempt = Math.max(1, state.failures);
  const base = state.retryMs === undefined ? policy.backoff : { ...policy.backoff, baseMs: Math.max(1, Math.min(state.retryMs, policy.backoff.maxMs)) };
  const retryInMs = lost?.retryAfterMs ?? backoffMs(attempt, base, policy.random());
  const reason = lost?.message ?? "The agent ended the stream before the task was over.";
  options.onConnection?.({ kind: "lost", reason, retryInMs, attempt, ...(lost !== undefined && { error: lost }) });
  await policy.sleep(retryInMs, options.signal);
}

/** Whether the stream need not be read on after `event`. */
function endsAt(event: StreamResponse, kind: FollowStart["kind"]): boolean {
  if ("message" in event) return true;
  if ("task" in event) return isTerminal(event.task.status.state);
  if (!("statusUpdate" in event)) return false;
  const { state } = event.statusUpdate.status;
  return isTerminal(state) || (kind === "send" && state === "TASK_STATE_INPUT_REQUIRED");
}

/** Whether a stream that the agent ended is over, or only lost. Agents with cursors keep subscriptions open through interruptions; others may not. */
function isOver(state: State, kind: FollowStart["kind"], policy: FollowPolicy): boolean {
  const status = state.mirror.status?.state;
  if (status === undefined) return false;
  return isTerminal(status) || (isInterrupted(status) && (kind === "send" || !policy.hasCursors));
}

/** Repairs as items; the snapshot's cursor goes with the last, when all of it is there. */
function withCursor(repairs: readonly Repair[], cursor: string | undefined): readonly StreamItem[] {
  return repairs.map((repair, index) => ({ ...repair, ...(cursor !== undefined && index === repairs.length - 1 && { cursor }) }));
}
