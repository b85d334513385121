import { createHash } from "node:crypto";
import type { A2AClient } from "../client/client.ts";
import { type Liveness, tokensPerSecond } from "../liveness/liveness.ts";
import { readSignals } from "../liveness/read-signals.ts";
import type { StreamResponse } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { readExtension } from "../model/extension.ts";
import { type Durations, tellsDuration } from "./adaptive-timeout.ts";
import type { Arena } from "./arena.ts";
import type { Attempt, Measured, Outcome } from "./attempt.ts";
import { beforeOf, fight, judgeAgain } from "./battle.ts";
import type { Campaign, Item, Subject } from "./campaign.ts";
import { failureOf } from "./classify.ts";
import type { AttemptWriter } from "./ledger.ts";
import { createPulse, type Pulse } from "./pulse.ts";
import type { RunnerParts } from "./runner-parts.ts";
import type { Start } from "./schedule.ts";

/** What all attempts share. */
export interface FighterOptions {
  readonly campaign: Campaign;
  /** Of the ledger. */
  readonly nonce: string;
  readonly parts: RunnerParts;
  readonly arena: Arena;
  /** Those that are to be ticked. */
  readonly pulses: Set<Pulse>;
  readonly durations: Durations;
}

/** A new attempt, or one that a dead runner left. */
export type Bout = Start | (Attempt & { readonly kind: "resume" });

/**
 * Fights one attempt from its record to its end in the ledger. Gives the ended attempt; undefined when the runner stopped first: then its task goes on, and the
 * next run with it. Rejects only when the ledger cannot be written.
 */
export type Fighter = (bout: Bout, signals: { readonly stop: AbortSignal; readonly cancel: AbortSignal }) => Promise<Attempt | undefined>;

/** Reports how many tokens a battle has. */
type Teller = (state: Liveness, text: string, isDue?: boolean) => void;

/** Between two reports of a battle's tokens, ms. */
const TELL_MS = 100;
/** How long a subject may take to answer a cancel, ms. */
const CANCEL_MS = 5000;

/** Makes the fighter of a campaign. */
export function createFighter({ campaign, nonce, parts, arena, pulses, durations }: FighterOptions): Fighter {
  const { ledger, clock, monotonic, onProgress } = parts;
  const items = new Map(campaign.items.map((item) => [item.id, item]));
  const subjects = new Map(campaign.subjects.map((subject) => [subject.id, subject]));

  async function begin(bout: Bout): Promise<AttemptWriter> {
    if (bout.kind === "resume") {
      const { kind: _, ...attempt } = bout;
      return ledger.resume(attempt);
    }
    const { battle, subject, item, repeat, attempt } = bout;
    const answered = attempt === 1 ? undefined : lastAnswer(await ledger.attemptsOf(battle));
    const id = (what: string): string => uuidOf(`${nonce}\n${battle}\n${attempt}\n${what}`);
    const measured = { events: 0, contents: 0, tokens: 0, workedMs: 0, durationMs: 0 };
    return ledger.begin({
      battle,
      subject,
      item,
      repeat,
      attempt,
      messageId: id("message"),
      contextId: id("context"),
      ...answered,
      startedAt: clock.now(),
      measured,
      episodes: [],
    });
  }

  return async (bout, { stop, cancel }) => {
    const writer = await begin(bout);
    onProgress({ kind: "attempt-started", attempt: writer.attempt, resumed: bout.kind === "resume" });
    const subject = subjects.get(bout.subject);
    const item = items.get(bout.item);
    if (subject === undefined || item === undefined) throw new IasError("internal", `The campaign has no ${bout.battle}.`);
    const hung = new AbortController();
    const signal = AbortSignal.any([stop, cancel, hung.signal]);
    let pulse: Pulse | undefined;
    let client: A2AClient | undefined;
    let earlier: Pick<Measured, "events" | "contents" | "tokens"> = { events: 0, contents: 0, tokens: 0 };
    let outcome: Outcome;
    try {
      const { answerOf } = writer.attempt;
      if (answerOf !== undefined) {
        const events = await recorded({ ...writer.attempt, attempt: answerOf });
        outcome = await judgeAgain({ campaign, parts, subject, item, writer, signal }, events);
      } else {
        client = await arena.client(subject, item);
        const watched = await watch(bout, subject, item, client, writer, hung);
        ({ pulse } = watched);
        pulses.add(pulse);
        const before = bout.kind === "resume" ? beforeOf(await recorded(writer.attempt)) : undefined;
        if (before !== undefined) earlier = countOf(before.events);
        const mode = writer.attempt.liveness?.mode ?? "stream";
        outcome = await fight({ campaign, parts, subject, item, client, writer, mode, pulse, before, signal, onTokens: watched.onTokens });
      }
    } catch (error) {
      if (hung.signal.aborted && pulse?.fault !== undefined) outcome = { kind: "failed", failure: pulse.fault };
      else if (cancel.aborted) outcome = { kind: "canceled" };
      else if (stop.aborted) return await leave(writer, pulse);
      else outcome = { kind: "failed", failure: failureOf(IasError.from(error, "unavailable")) };
    } finally {
      if (pulse !== undefined) {
        pulses.delete(pulse);
        pulse[Symbol.dispose]();
      }
    }
    if ((hung.signal.aborted || cancel.aborted) && outcome.kind !== "judged") await cancelTask(client, writer);
    const endedAt = clock.now();
    const now = pulse?.measured ?? writer.attempt.measured;
    // Times are those of this run; what came in an earlier one is counted.
    const whole = { events: now.events + earlier.events, contents: now.contents + earlier.contents, tokens: now.tokens + earlier.tokens };
    const measured: Measured = { ...now, ...whole, durationMs: Math.max(0, endedAt - writer.attempt.startedAt) };
    await writer.end({ outcome, endedAt, measured, episodes: pulse?.episodes ?? [] });
    if (tellsDuration(writer.attempt)) durations.add(item.id, measured.durationMs);
    return writer.attempt;
  };

  /** Chooses what it is judged by, puts that into its record, and starts to watch. */
  async function watch(
    bout: Bout,
    subject: Subject,
    item: Item,
    client: A2AClient,
    writer: AttemptWriter,
    hung: AbortController,
  ): Promise<{ readonly pulse: Pulse; readonly onTokens: (text: string) => void }> {
    const choice = await arena.choose(subject, client);
    const { mode, why } = writer.attempt.liveness ?? choice;
    const engine = await arena.engine(subject);
    const timeout = durations.timeout(item.id, bout.kind === "start" ? bout.retry : 0);
    if (writer.attempt.liveness === undefined) await writer.save({ liveness: { mode, why } });
    const { battle, attempt } = writer.attempt;
    const tell = createTeller(writer);
    const pulse: Pulse = createPulse({
      mode,
      trusted: choice.trusted,
      thresholds: campaign.thresholds,
      engine,
      metricsIntervalMs: campaign.metricsIntervalMs,
      timeout,
      monotonic,
      onFault: () => hung.abort(new IasError("timeout", "The attempt hangs.", { reason: "INFERENCE_STALLED" })),
      onPhase(phase) {
        // Whoever reads that it stalled reads after how many tokens: after all of them.
        if (phase === "stalled") tell(pulse.state, "", true);
        if (phase !== "stalled" && phase !== "slow" && phase !== "throttled") writer.aside({ kind: "note", name: "phase", value: phase });
        onProgress({ kind: "phase", battle, attempt, phase, at: clock.now() });
      },
      aside: (data) => writer.aside(data),
    });
    return { pulse, onTokens: (text) => tell(pulse.state, text) };
  }

  async function recorded({ battle, attempt }: Attempt): Promise<readonly StreamResponse[]> {
    const events: StreamResponse[] = [];
    for await (const { event } of ledger.events(battle, attempt)) {
      const kind = readExtension(event)?.kind;
      // The runner's own words are no event of the subject.
      if ((kind === "note" || kind === "liveness") && "statusUpdate" in event && event.statusUpdate.status.timestamp === undefined) continue;
      events.push(event);
    }
    return events;
  }

  /** Tells tokens, at most ten times a second unless every one is wanted or `isDue`. */
  function createTeller({ attempt }: AttemptWriter): Teller {
    let toldAt = Number.NEGATIVE_INFINITY;
    let told = 0;
    return (state, text, isDue = false) => {
      const at = monotonic();
      if (state.tokens === told || (!isDue && !parts.verbose && at - toldAt < TELL_MS)) return;
      toldAt = at;
      told = state.tokens;
      onProgress({
        kind: "tokens",
        battle: attempt.battle,
        tokens: told,
        tokensPerSecond: tokensPerSecond(state),
        ...(parts.verbose && text !== "" && { text }),
      });
    };
  }

  /** The runner stops: what has come is kept, and the attempt stays open. */
  async function leave(writer: AttemptWriter, pulse: Pulse | undefined): Promise<undefined> {
    await writer.save(pulse === undefined ? {} : { episodes: pulse.episodes });
    return undefined;
  }

  /** Ends the task at the subject, so that it does not go on for nobody. */
  async function cancelTask(client: A2AClient | undefined, { attempt, aside }: AttemptWriter): Promise<void> {
    const { taskId } = attempt;
    if (client === undefined || taskId === undefined) return;
    try {
      await client.cancelTask(taskId, { signal: AbortSignal.timeout(CANCEL_MS) });
    } catch (error) {
      aside({ kind: "note", name: "cancel-failed", value: IasError.from(error).message });
    }
  }
}

/** Where the answer is that a battle's next attempt has only to judge; undefined when the subject is to be asked. `attempts` are all of the battle, oldest first. */
function lastAnswer(attempts: readonly Attempt[]): Pick<Attempt, "answerOf" | "taskId"> | undefined {
  const last = attempts.at(-1);
  if (last === undefined || last.outcome?.kind === "judged") return undefined;
  const isAnswered = last.outcome?.kind === "failed" && last.outcome.answered === true;
  const answerOf = last.answerOf ?? (isAnswered ? last.attempt : undefined);
  if (answerOf === undefined) return undefined;
  return { answerOf, ...(last.taskId !== undefined && { taskId: last.taskId }) };
}

/** What an earlier run of an attempt had received; a token a content, because it is not whole. */
function countOf(events: readonly StreamResponse[]): Pick<Measured, "events" | "contents" | "tokens"> {
  const contents = events.filter((event) => readSignals(event).some(({ kind }) => kind === "content")).length;
  return { events: events.length, contents, tokens: contents };
}

/** A UUID in form (version 8, its own kind) of a text's SHA-256. */
function uuidOf(text: string): string {
  const hex = createHash("sha256").update(text).digest("hex");
  return `${hex.slice(0, 8)}-${hex.slice(8, 12)}-8${hex.slice(13, 16)}-a${hex.slice(17, 20)}-${hex.slice(20, 32)}`;
}
