import { createHash } from "node:crypto";
import type { A2AClient, SendRequest, StreamItem } from "../client/client.ts";
import { connectA2A, type ConnectOptions } from "../client/connect.ts";
import { createMirror } from "../client/mirror.ts";
import { createProof } from "../liveness/proof.ts";
import { resolveThresholds } from "../liveness/thresholds.ts";
import type { Message, Part, StreamResponse } from "../model/a2a.ts";
import { EXTENSION_URI } from "../model/entry.ts";
import { IasError } from "../model/errors.ts";
import { extensionIn } from "../model/extension.ts";
import { isLoopbackUrl } from "../net/address.ts";
import type { AgentEvent, Engine, Turn } from "./engine.ts";
import { nextHops } from "./a2a/hops.ts";
import { fromResumeState, type Remote, toResumeState } from "./a2a/resume.ts";
import { createTranslator, type Translator } from "./a2a/to-agent-events.ts";
import { untilAborted } from "./until-aborted.ts";

/** Which remote agent to relay, and how. Headers, bindings, versions, limits of reconnecting: as for `connectA2A`. */
export interface A2AEngineOptions extends Omit<ConnectOptions, "signal"> {
  /** The agent's, its server's or its card's URL. Loopback may be reached when the URL spells it; private ranges with `allowPrivate`. */
  readonly url: string;
  /** How the remote agent is called in paths and delegations; its card's name by default. */
  readonly name?: string;
  /** A direct message of the remote agent becomes the task's answer (`task`, the default) or is handed on as such (`message`: the agent must be defined with replies "message" or "either"). */
  readonly replies?: "task" | "message";
  /** Relays that a message may have passed before this one; 8. `limit-reached`, reason HOP_LIMIT or HOP_CYCLE. */
  readonly maxHops?: number;
  /** Makes the client; for tests and for transports of one's own. It is made once and used for all turns, and again after it could not be made. */
  readonly connect?: () => Promise<A2AClient>;
}

/** Longest wait for a remote agent's answer to a cancel, ms. */
const CANCEL_MS = 5000;

/**
 * Relays a remote A2A agent, of version 1.0 or 0.3, over any binding (SEMANTICS 27): one chunk in, one event out; artifacts keep their ids. INPUT_REQUIRED and AUTH_REQUIRED end the turn with the
 * remote task in its state, and the next turn goes on there. A turn that restarts after a crash follows the remote task instead of sending again. An abort cancels the remote task,
 * unless the turn was only abandoned. It takes files of any type: the remote agent says which it does not.
 * Disposing waits for running turns and for cancels that are under way, and closes the connections; a later turn opens them again.
 */
export function a2a(options: A2AEngineOptions): Engine {
  const connect = options.connect ?? (() => connectA2A(options.url, { ...options, allowLocal: options.allowLocal ?? isLoopbackUrl(options.url) }));
  let connecting: Promise<A2AClient> | undefined;
  const running = new Set<Promise<void>>();
  const canceling = new Set<Promise<void>>();

  function client(): Promise<A2AClient> {
    connecting ??= connect().catch((error: unknown) => {
      connecting = undefined;
      throw IasError.from(error, "unavailable");
    });
    return connecting;
  }

  return {
    inputModes: ["*/*"],
    async *run(turn, { signal }) {
      const progress: Progress = { remote: undefined, isOver: false };
      const { promise: over, resolve: end } = Promise.withResolvers<void>();
      running.add(over);
      try {
        yield* untilAborted(relay(turn, signal, options, client, progress), signal);
      } finally {
        if (signal.aborted && progress.remote !== undefined && !progress.isOver && !isAbandoned(signal)) {
          const canceled = cancel(client(), progress.remote.task).finally(() => canceling.delete(canceled));
          canceling.add(canceled);
        }
        running.delete(over);
        end();
      }
    },
    async [Symbol.asyncDispose]() {
      await Promise.all(running);
      await Promise.all(canceling);
      const open = connecting;
      connecting = undefined;
      await (await open?.catch(() => undefined))?.[Symbol.asyncDispose]();
    },
  };
}

const WORKS: AgentEvent = { kind: "liveness", signal: { kind: "child" } };

/** What is known of the remote task while a turn runs. */
interface Progress {
  remote: Remote | undefined;
  isOver: boolean;
}

async function* relay(
  turn: Turn,
  signal: AbortSignal,
  options: A2AEngineOptions,
  connect: () => Promise<A2AClient>,
  progress: Progress,
): AsyncGenerator<AgentEvent, void, undefined> {
  const hops = nextHops(turn, options.url, options.maxHops ?? 8);
  const client = await connect();
  const name = options.name ?? (client.card.name || "remote");
  const translator = createTranslator({ name, replies: options.replies ?? "task" });
  const before = fromResumeState(turn.state);
  const follows = isRestart(turn, before);
  progress.remote = before;
  const sent = follows && before !== undefined ? before.sent : messageId(turn, before);
  /** An interruption that a snapshot tells: of a sent message's stream it may be the one that the message answers. */
  let told: AgentEvent | undefined;
  /** What is missing for judging its silence: until an agent without cursors has shown that it sends pieces, it is a child that works, and has a tool's time. */
  const proof = client.hasCursors ? undefined : createProof(resolveThresholds().gapMs);
  if (proof !== undefined) yield WORKS;
  for await (const item of open(client, turn, { before, hops, sent, signal, target: options.url })) {
    yield* noteRemote(item.event, turn, name, sent, progress);
    for (const said of toEvents(item, turn, sent).flatMap((event) => say(event, translator, progress))) {
      if (said.kind === "interrupt" && "task" in item.event && !follows) {
        told = said;
        continue;
      }
      progress.isOver ||= isEnd(said);
      yield said;
      if (progress.isOver) return;
    }
    if (proof?.see(item.event, performance.now()) === false) yield WORKS;
  }
  if (told === undefined) throw new IasError("invalid-agent-response", "The remote agent's stream ended without an end of its task.");
  progress.isOver = true;
  yield told;
}

/** Once a turn, when the remote task is known: saves it, so that a restart finds it, and tells readers. */
function* noteRemote(event: StreamResponse, turn: Turn, name: string, sent: string, progress: Progress): Generator<AgentEvent, void, undefined> {
  const known = taskOf(event);
  if (known === undefined || (progress.remote?.task === known.task && progress.remote.phase === "running")) return;
  progress.remote = { ...known, phase: "running", sent, inputs: inputIds(turn) };
  yield { kind: "checkpoint", state: toResumeState(progress.remote) };
  yield { kind: "delegation", from: turn.agent, to: name, via: "a2a", task: known.task };
}

/** What one remote event makes the agent do; an interruption carries the remote task for the next turn, a replacement its note. */
function say(item: StreamItem, translator: Translator, progress: Progress): readonly AgentEvent[] {
  const said = translator.translate(item.event).map((event): AgentEvent => {
    if (event.kind !== "interrupt" || progress.remote === undefined) return event;
    return { ...event, state: toResumeState({ ...progress.remote, phase: "waiting" }) };
  });
  if (item.resync !== "replace" || !("artifactUpdate" in item.event)) return said;
  return [{ kind: "note", name: "resync", value: { artifact: item.event.artifactUpdate.artifact.artifactId, how: "replace" } }, ...said];
}

function isEnd(event: AgentEvent): boolean {
  return event.kind === "end" || event.kind === "interrupt" || event.kind === "reply";
}

interface Opening {
  readonly before: Remote | undefined;
  readonly hops: readonly string[];
  readonly sent: string;
  readonly signal: AbortSignal;
  readonly target: string;
}

/** Follows the remote task of a turn that restarts; else sends the user's message, to the waiting task or as a new one. */
async function* open(client: A2AClient, turn: Turn, opening: Opening): AsyncGenerator<StreamItem, void, undefined> {
  const { before, signal } = opening;
  if (before !== undefined && isRestart(turn, before)) {
    yield* client.subscribe(before.task, { signal });
    return;
  }
  const attempts: readonly Partial<Message>[] = [
    ...(before === undefined ? [] : [{ taskId: before.task, contextId: before.context }]),
    { contextId: before?.context ?? contextId(turn, opening.target) },
    {},
  ];
  for (const [index, target] of attempts.entries()) {
    // Another request needs another id: the old one stands for the refused one.
    const message = await toMessage(turn, target, index === 0 ? opening.sent : `${opening.sent}-${index}`, opening.hops);
    const request: SendRequest = { message };
    let isAccepted = false;
    try {
      for await (const item of client.stream(request, { signal })) {
        isAccepted = true;
        yield item;
      }
      return;
    } catch (error) {
      const refused = error instanceof IasError && REFUSES_TARGET.has(error.code);
      if (isAccepted || !refused || index === attempts.length - 1) throw error;
    }
  }
}

/** What an agent says to a task that is gone or over, or to a context that it did not make itself. */
const REFUSES_TARGET: ReadonlySet<string> = new Set(["task-not-found", "unsupported-operation", "invalid-params", "invalid-request", "not-found"]);

/** The first Task of a stream is compared with what earlier turns and attempts have recorded; everything else passes as it is. */
function toEvents(item: StreamItem, turn: Turn, sent: string): readonly StreamItem[] {
  if (!("task" in item.event)) return [item];
  const mirror = createMirror({ sent });
  mirror.note({ task: turn.current });
  return mirror.compare(item.event.task);
}

/** The user's messages as one, with files of ours inline. */
async function toMessage(turn: Turn, target: Partial<Message>, id: string, hops: readonly string[]): Promise<Message> {
  const parts: Part[] = [];
  for (const part of turn.input.flatMap((message) => message.parts)) parts.push(await toOutside(part, turn));
  const metadata = turn.input.at(-1)?.metadata;
  return { messageId: id, role: "ROLE_USER", parts, ...target, metadata: { ...metadata, [EXTENSION_URI]: { ...extensionIn(metadata), hops } } };
}

/** A part whose bytes are in our store, and whose address means nothing outside, goes as the bytes. */
async function toOutside(part: Part, turn: Turn): Promise<Part> {
  if (part.url === undefined || /^https?:/i.test(part.url)) return part;
  const { url: _, ...rest } = part;
  return { ...rest, raw: Buffer.from(await turn.load(part)).toString("base64") };
}

/** The same for each attempt of a turn, so that agents that deduplicate take a repeated send for what it is. */
function messageId(turn: Turn, before: Remote | undefined): string {
  const seed = JSON.stringify([
    turn.principal.tenant,
    turn.principal.user,
    turn.agent,
    turn.task,
    turn.input.map((message) => message.messageId),
    before?.task ?? null,
  ]);
  return createHash("sha256").update(seed).digest("hex").slice(0, 32);
}

/**
 * The remote conversation of our conversation: always the same, so that the agent remembers. Not our own id: an agent that relays back to us would queue
 * behind the turn that waits for it.
 */
function contextId(turn: Turn, target: string): string {
  const seed = JSON.stringify([turn.principal.tenant, turn.principal.user, turn.agent, turn.context, target]);
  return createHash("sha256").update(seed).digest("hex").slice(0, 32);
}

function inputIds(turn: Turn): readonly string[] {
  return turn.input.map((message) => message.messageId);
}

/** Whether the remote task of the state already works on this very input. */
function isRestart(turn: Turn, before: Remote | undefined): boolean {
  return before?.phase === "running" && JSON.stringify(before.inputs) === JSON.stringify(inputIds(turn));
}

function taskOf(event: StreamResponse): { readonly task: string; readonly context: string } | undefined {
  if ("task" in event) return { task: event.task.id, context: event.task.contextId };
  const update = "statusUpdate" in event ? event.statusUpdate : "artifactUpdate" in event ? event.artifactUpdate : undefined;
  return update === undefined || update.taskId === "" ? undefined : { task: update.taskId, context: update.contextId };
}

function isAbandoned(signal: AbortSignal): boolean {
  return signal.reason instanceof IasError && signal.reason.reason === "TURN_ABANDONED";
}

/** Asks the remote agent to stop. No turn waits for it: it is over for us, and the agent may be gone. Never rejects. */
async function cancel(connecting: Promise<A2AClient>, task: string): Promise<void> {
  try {
    await (await connecting).cancelTask(task, { signal: AbortSignal.timeout(CANCEL_MS) });
  } catch {
    // It is over for us all the same.
  }
}
