import type { A2AClient, ConnectionState, SendRequest, StreamItem } from "../client/client.ts";
import { isTerminal, type StreamResponse, taskIdOf } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { cursorOf, withEventCursor } from "../model/extension.ts";
import { answerOf } from "./answer.ts";
import { battleRequest } from "./assessment.ts";
import type { Failure, JudgedBy, Outcome } from "./attempt.ts";
import type { Campaign, Item, Subject } from "./campaign.ts";
import { failureOf, failureOfEvent } from "./classify.ts";
import { createGathered, type Gathered } from "./gather.ts";
import { judge } from "./judge.ts";
import type { AttemptWriter } from "./ledger.ts";
import type { Pulse } from "./pulse.ts";
import type { RunnerParts } from "./runner-parts.ts";

/** One attempt, as it is fought. */
export interface Fight {
  readonly campaign: Campaign;
  readonly parts: RunnerParts;
  readonly subject: Subject;
  readonly item: Item;
  readonly client: A2AClient;
  readonly writer: AttemptWriter;
  readonly mode: JudgedBy;
  readonly pulse: Pulse;
  /** What an earlier run had of it: the attempt goes on. */
  readonly before: Before | undefined;
  /** Aborted when it hangs, when a person does not want it, and when the runner stops. */
  readonly signal: AbortSignal;
  readonly onTokens: (text: string) => void;
}

/** What the ledger has of an attempt that a dead runner left. */
export interface Before {
  readonly events: readonly StreamResponse[];
  /** Where its stream goes on; undefined when that is not sure. */
  readonly cursor: string | undefined;
}

/** How an attempt ended. Rejects with `aborted` when the signal said so before it had an end. */
export async function fight(fight: Fight): Promise<Outcome> {
  const { campaign, pulse, signal } = fight;
  const gathered = createGathered(campaign.maxAnswerLength);
  try {
    for (const event of fight.before?.events ?? []) gathered.note(event);
    if (!gathered.isOver) {
      const told = await converse(fight, gathered);
      if (told !== undefined) return told;
    }
  } catch (error) {
    if (pulse.fault !== undefined) return { kind: "failed", failure: pulse.fault };
    if (signal.aborted) throw IasError.from(signal.reason, "aborted");
    return { kind: "failed", failure: failureOf(IasError.from(error, "remote-failed")) };
  }
  const failure = gathered.last === undefined ? undefined : failureOfEvent(gathered.last);
  if (failure !== undefined) return { kind: "failed", failure };
  if (!gathered.isOver) return { kind: "failed", failure: NO_END };
  pulse.tell({ kind: "ended" });
  return judgeAnswer(gathered, fight);
}

/** What judging an answer needs of an attempt. */
export type Judging = Pick<Fight, "campaign" | "parts" | "subject" | "item" | "writer" | "signal">;

/** Judges an answer of which the ledger has all that came. Rejects as `fight` does. */
export async function judgeAgain(judging: Judging, events: readonly StreamResponse[]): Promise<Outcome> {
  const gathered = createGathered(judging.campaign.maxAnswerLength);
  for (const event of events) gathered.note(event);
  return gathered.isOver ? judgeAnswer(gathered, judging) : { kind: "failed", failure: NO_END };
}

const NO_END: Failure = { class: "agent-failed", code: "NO_END", message: "The subject's stream ended without an end of its task." };

/** Reads all that the subject sends. An outcome only where there is none to be had. */
async function converse(fight: Fight, gathered: Gathered): Promise<Outcome | undefined> {
  const source = await openSource(fight);
  if ("kind" in source) return source;
  const { writer, pulse } = fight;
  for await (const item of source) {
    const { event } = item;
    writer.note(item.cursor === undefined ? event : withEventCursor(event, item.cursor));
    const room = writer.ready();
    if (room !== undefined) {
      pulse.tell({ kind: "throttled" });
      await room;
      pulse.tell({ kind: "unthrottled" });
    }
    pulse.hear(event);
    gathered.note(event);
    fight.onTokens(textOf(event));
    const task = taskIdOf(event);
    // Known before anything else is read, so that a later run finds the task.
    if (task !== undefined && writer.attempt.taskId === undefined) await writer.save({ taskId: task });
    if (failureOfEvent(event) !== undefined) return undefined;
  }
  return undefined;
}

type Source = AsyncIterable<StreamItem>;

async function openSource(fight: Fight): Promise<Source | Extract<Outcome, { readonly kind: "unknown" }>> {
  const { client, writer, before, signal } = fight;
  const { taskId } = writer.attempt;
  const options = { signal, onConnection: (state: ConnectionState) => onConnection(fight, state) };
  if (before === undefined) return send(fight, options);
  if (taskId === undefined) {
    // Sending again attaches where the subject knows the message; elsewhere it might do the work twice.
    if (client.hasCursors) return send(fight, options);
    return { kind: "unknown", why: "The runner died before the subject had named its task." };
  }
  try {
    const task = await client.getTask(taskId, { signal });
    if (isTerminal(task.status.state)) return once({ event: { task } });
  } catch (error) {
    const lost = IasError.from(error, "remote-failed");
    if (signal.aborted || lost.retryable) throw error;
    return { kind: "unknown", why: `The runner died, and the subject does not know the task any more: ${lost.message}` };
  }
  return client.subscribe(taskId, { ...options, ...(client.hasCursors && before.cursor !== undefined && { after: before.cursor }) });
}

/** The first request. A battle that is judged by its stream streams; others wait for one answer. */
function send(fight: Fight, options: { readonly signal: AbortSignal; readonly onConnection: (state: ConnectionState) => void }): Source {
  const { client, campaign, subject, item, writer } = fight;
  const { messageId, contextId } = writer.attempt;
  const { parts } = battleRequest(item.green ?? campaign.green, subject, item);
  const metadata = campaign.seed === undefined ? {} : { metadata: { seed: campaign.seed } };
  // A context of our own making is new wherever our extension is spoken; elsewhere the subject makes one.
  const context = client.hasCursors ? { contextId } : {};
  const request: SendRequest = { message: { messageId, ...context, role: "ROLE_USER", parts, ...metadata }, ...metadata };
  return fight.mode === "stream" ? client.stream(request, options) : ask(client, request, options);
}

async function* ask(client: A2AClient, request: SendRequest, options: { readonly signal: AbortSignal }): AsyncGenerator<StreamItem, void, undefined> {
  const result = await client.send({ ...request, configuration: { returnImmediately: false } }, options);
  yield { event: result };
  if ("task" in result && !isTerminal(result.task.status.state) && failureOfEvent(result) === undefined) yield* client.subscribe(result.task.id, options);
}

async function* once(item: StreamItem): AsyncGenerator<StreamItem, void, undefined> {
  yield item;
}

/** A subject that refuses before it has a task is not asked again by this attempt: the next one waits as long as it says, and fewer go at once. */
function onConnection({ writer, pulse }: Fight, state: ConnectionState): void {
  if (state.kind === "open") return pulse.tell({ kind: "bytes" });
  if (state.kind === "polling") return;
  writer.aside({ kind: "note", name: "connection", value: { lost: state.reason, retryInMs: Math.round(state.retryInMs), attempt: state.attempt } });
  const { error } = state;
  if (error === undefined || writer.attempt.taskId !== undefined) return;
  const failure = failureOf(error);
  if (failure.class === "rate-limit" || failure.class === "server-error") throw error;
}

async function judgeAnswer(gathered: Gathered, { campaign, parts, subject, item, writer, signal }: Judging): Promise<Outcome> {
  const { text, data } = answerOf(gathered.read());
  const battle = { item, subject: subject.id, repeat: writer.attempt.repeat, answer: text, data, signal };
  const green = item.green ?? campaign.green;
  try {
    return { kind: "judged", verdict: await judge(green, battle, parts), answer: battle.answer };
  } catch (error) {
    const wrong = IasError.from(error, "remote-failed");
    if (signal.aborted) throw IasError.from(signal.reason, "aborted");
    // Who judges is at fault, never the subject. It is tried again by the next attempt, within the retries of its class: there is one budget.
    const final = !wrong.retryable && { final: true as const };
    const failure: Failure = { ...failureOf(wrong), class: "judge-failed", code: wrong.reason ?? wrong.code, ...final };
    // The answer is there: later attempts judge it and ask nobody. An `a2a` green's answer is its judgement, which it has to give anew.
    return { kind: "failed", failure, ...(green.kind !== "a2a" && { answered: true }) };
  }
}

/** What an earlier run recorded: all events, and the cursor after which nothing is missing. */
export function beforeOf(events: readonly StreamResponse[]): Before {
  let opening: string | undefined;
  let cursor: string | undefined;
  for (const event of events) {
    const found = cursorOf(event);
    if (found === undefined) continue;
    // The frames of an opening share a cursor; it is whole when another one has come.
    if ("task" in event) opening = found;
    cursor = found === opening ? undefined : found;
  }
  return { events, cursor };
}

/** The text of what has just come, for people. */
function textOf(event: StreamResponse): string {
  const parts =
    "artifactUpdate" in event
      ? event.artifactUpdate.artifact.parts
      : "message" in event
        ? event.message.parts
        : "statusUpdate" in event
          ? (event.statusUpdate.status.message?.parts ?? [])
          : [];
  return parts.map(({ text }) => text ?? "").join("");
}
