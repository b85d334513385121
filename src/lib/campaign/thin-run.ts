import { createHash } from "node:crypto";
import type { A2AClient } from "../client/client.ts";
import { gapQuantile } from "../liveness/gaps.ts";
import { type LivenessEvent, type LivenessInput, phaseOf, startLiveness, tokensPerSecond } from "../liveness/liveness.ts";
import { readSignals } from "../liveness/read-signals.ts";
import { inferenceStalled } from "../liveness/stalled.ts";
import { step } from "../liveness/step.ts";
import { toLivenessFacts } from "../liveness/to-facts.ts";
import { type Artifact, isInterrupted, isTerminal, type Message, type Part, type StreamResponse, type Task, type TaskStatus } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { readExtension } from "../model/extension.ts";
import { newId } from "../model/ids.ts";
import { joinKey } from "../model/key.ts";
import { answerOf } from "./answer.ts";
import { battleRequest } from "./assessment.ts";
import type { Attempt, Episode, Failure, Measured, Outcome } from "./attempt.ts";
import type { Campaign, Item, Subject } from "./campaign.ts";
import { campaignHash } from "./hash.ts";
import { judge } from "./judge.ts";
import type { AttemptWriter } from "./ledger.ts";
import type { RunCampaign, RunnerParts } from "./runner-parts.ts";
import { summarize } from "./report/summarize.ts";

/** How often silence is looked at, ms. */
const TICK_MS = 250;
/** Between two reports of a battle's tokens, ms. */
const TELL_MS = 100;
const MAX_EPISODES = 100;

interface Place {
  readonly battle: string;
  readonly subject: Subject;
  readonly item: Item;
  readonly repeat: number;
}

/**
 * A runner of battles by their streams alone: liveness by tokens, retries by class, a ledger that the same call goes on with. It has no metrics, no time-outs, no adaptive
 * concurrency and no wishes of people; for assessments of `ias green`, which are short and have no results folder.
 */
export const thinRun: RunCampaign = async (campaign, parts, signal) => {
  const { ledger, clock, onProgress } = parts;
  const known = await ledger.campaign();
  const hash = known?.hash ?? campaignHash(campaign);
  if (known === undefined) await ledger.create(campaign, hash);
  const startedAt = known?.createdAt ?? clock.now();
  const before = await recover(parts);
  const places = placesOf(campaign).filter(({ battle }) => before.get(battle)?.outcome?.kind !== "judged");
  const target = campaign.target ?? campaign.subjects.length * campaign.items.length * campaign.repeat;
  onProgress({ kind: "started", campaign: campaign.name, resumed: before.size > 0, done: target - places.length, target });
  const work = async (): Promise<void> => {
    for (let place = places.shift(); place !== undefined && !signal.aborted; place = places.shift()) {
      await fight(campaign, hash, place, before.get(place.battle)?.attempt ?? 0, parts, signal);
    }
  };
  await Promise.all(Array.from({ length: campaign.concurrency }, work));
  const summary = await summarize({ campaign, hash, createdAt: startedAt }, ledger, signal.aborted ? "running" : "exhausted");
  onProgress({ kind: "ended", summary });
  return summary;
};

/** The last attempt of each battle. What a dead runner left under way is kept as unknown. */
async function recover({ ledger, clock }: RunnerParts): Promise<ReadonlyMap<string, Attempt>> {
  const last = new Map<string, Attempt>();
  for await (const attempt of ledger.attempts()) if ((last.get(attempt.battle)?.attempt ?? 0) < attempt.attempt) last.set(attempt.battle, attempt);
  for (const attempt of last.values()) {
    if (attempt.outcome !== undefined) continue;
    const writer = await ledger.resume(attempt);
    await writer.end({ outcome: { kind: "unknown", why: "the runner ended in mid-battle" }, endedAt: clock.now() });
  }
  return last;
}

function placesOf({ items, subjects, repeat, target }: Campaign): Place[] {
  const each = items.length * subjects.length;
  const count = target ?? each * repeat;
  return Array.from({ length: Math.ceil(count / each) }, (_, at) => at + 1)
    .flatMap((round) =>
      items.flatMap((item) => subjects.map((subject) => ({ battle: joinKey(subject.id, item.id, String(round)), subject, item, repeat: round }))),
    )
    .slice(0, count);
}

/** One battle, until it is judged or given up. */
async function fight(campaign: Campaign, hash: string, place: Place, done: number, parts: RunnerParts, signal: AbortSignal): Promise<void> {
  const { retries } = campaign;
  const byClass = new Map<string, number>();
  for (let tries = 1; !signal.aborted; tries += 1) {
    const outcome = await attempt(campaign, hash, place, done + tries, parts, signal);
    if (outcome.kind !== "failed") return;
    const { failure } = outcome;
    if (failure.class === "deterministic") return;
    const count = (byClass.get(failure.class) ?? 0) + 1;
    byClass.set(failure.class, count);
    if (count > retries.byClass[failure.class] || tries >= retries.maxAttempts) return;
    const inMs = Math.max(failure.retryAfterMs ?? 0, Math.min(retries.maxMs, retries.baseMs * 2 ** (count - 1)) * (0.5 + parts.random() / 2));
    parts.onProgress({ kind: "retry", battle: place.battle, inMs, why: `${failure.class}: ${failure.message}` });
    await parts.clock.sleep(inMs, signal);
  }
}

async function attempt(campaign: Campaign, hash: string, place: Place, number: number, parts: RunnerParts, signal: AbortSignal): Promise<Outcome> {
  const { ledger, clock, monotonic, onProgress } = parts;
  const { battle, subject, item, repeat } = place;
  const messageId = createHash("sha256")
    .update(JSON.stringify([hash, battle, number]))
    .digest("hex")
    .slice(0, 32);
  const startedAt = clock.now();
  const began = monotonic();
  const measured: Measured = { events: 0, contents: 0, tokens: 0, workedMs: 0, durationMs: 0 };
  const begun: Attempt = {
    battle,
    subject: subject.id,
    item: item.id,
    repeat,
    attempt: number,
    messageId,
    contextId: newId(),
    startedAt,
    measured,
    episodes: [],
    liveness: { mode: "stream", why: "its stream is all that is looked at" },
  };
  const writer = await ledger.begin(begun);
  onProgress({ kind: "attempt-started", attempt: begun, resumed: false });
  const watch = createWatch(campaign, place, writer, parts);
  const stop = AbortSignal.any([signal, watch.stalled]);
  let outcome: Outcome;
  try {
    outcome = await ask(campaign, place, writer, parts, { stop, watch });
  } catch (error) {
    const told = watch.stall() ?? IasError.from(error, "engine-failed");
    outcome = signal.aborted ? { kind: "canceled" } : { kind: "failed", failure: failureOf(told) };
  } finally {
    watch[Symbol.dispose]();
  }
  const endedAt = clock.now();
  await writer.end({ outcome, endedAt, measured: { ...watch.measured(), durationMs: Math.round(monotonic() - began) }, episodes: watch.episodes() });
  onProgress({ kind: "attempt-ended", attempt: writer.attempt });
  return outcome;
}

/** Sends, follows, and has the answer judged. Throws what went wrong. */
async function ask(
  campaign: Campaign,
  { subject, item, repeat }: Place,
  writer: AttemptWriter,
  parts: RunnerParts,
  { stop, watch }: { readonly stop: AbortSignal; readonly watch: Watch },
): Promise<Outcome> {
  const green = item.green ?? campaign.green;
  const request = battleRequest(green, subject, item);
  await using client = await connect(request, parts);
  const { messageId, contextId } = writer.attempt;
  const message: Message = { messageId, contextId, role: "ROLE_USER", parts: request.parts };
  const said = gather(campaign.maxAnswerLength);
  for await (const { event } of client.stream({ message, ...(campaign.seed !== undefined && { metadata: { seed: campaign.seed } }) }, { signal: stop })) {
    writer.note(event);
    watch.see(event);
    said.note(event);
    await writer.ready();
  }
  watch.end();
  const failure = said.failure();
  if (failure !== undefined) return { kind: "failed", failure };
  const answer = answerOf(said.read());
  try {
    const verdict = await judge(green, { item, subject: subject.id, repeat, answer: answer.text, data: answer.data, signal: stop }, parts);
    return { kind: "judged", verdict, answer: answer.text };
  } catch (error) {
    const told = IasError.from(error, "remote-failed");
    if (told.code === "aborted") throw told;
    return { kind: "failed", failure: { ...failureOf(told), class: told.retryable ? "judge-failed" : "deterministic" } };
  }
}

async function connect({ url, headersFromEnv }: ReturnType<typeof battleRequest>, parts: RunnerParts): Promise<A2AClient> {
  const headers = Object.entries(headersFromEnv).map(([name, variable]): readonly [string, string] => {
    const value = parts.env[variable];
    if (value === undefined || value === "")
      throw new IasError("configuration", `The header ${name} is to be in the environment variable ${variable}, which is not set.`);
    return [name, value];
  });
  return parts.connect(url, Object.fromEntries(headers));
}

interface Watch extends Disposable {
  see(event: StreamResponse): void;
  end(): void;
  readonly stalled: AbortSignal;
  stall(): IasError | undefined;
  measured(): Omit<Measured, "durationMs">;
  episodes(): readonly Episode[];
}

/** The liveness of one attempt, ticked from here; a stall aborts it. */
function createWatch({ thresholds }: Campaign, { battle }: Place, writer: AttemptWriter, { monotonic, clock, onProgress }: RunnerParts): Watch {
  const began = monotonic();
  let state = startLiveness(began, "connecting");
  let events = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  let stall: IasError | undefined;
  const episodes: Episode[] = [];
  const stopped = new AbortController();
  const over = new AbortController();

  function take(input: LivenessInput): void {
    const taken = step(state, input, thresholds);
    state = taken.state;
    for (const event of taken.events) tell(event, input.at);
    if (taken.events.length > 0) onProgress({ kind: "phase", battle, attempt: writer.attempt.attempt, phase: phaseOf(state), at: clock.now() });
  }

  function tell(event: LivenessEvent, at: number): void {
    writer.aside({ kind: "liveness", ...toLivenessFacts(event) });
    const open = episodes.at(-1);
    if ((event.kind === "recovered" || event.kind === "stalled") && open !== undefined && open.untilMs === undefined)
      episodes[episodes.length - 1] = { ...open, untilMs: at - began };
    if ((event.kind === "slow" || event.kind === "stalled") && episodes.length < MAX_EPISODES)
      episodes.push({ kind: event.kind, fromMs: at - began, activity: event.kind === "slow" ? event.activity : event.stall.activity });
    if (event.kind === "stalled") stall = inferenceStalled(event.stall);
    if (event.kind === "overtime")
      stall = new IasError("timeout", `The battle worked for ${event.workedMs} ms; workMs allows ${event.limitMs}.`, {
        reason: "INFERENCE_STALLED",
        retryable: true,
      });
    if (stall !== undefined) stopped.abort(stall);
  }

  void (async () => {
    while (!over.signal.aborted) {
      const due = monotonic() + TICK_MS;
      await clock.sleep(TICK_MS, over.signal);
      // A late tick is our own lag: what has arrived meanwhile was not read yet.
      if (!over.signal.aborted) take({ kind: "tick", at: monotonic(), lagMs: Math.max(0, monotonic() - due) });
    }
  })();

  return {
    see(event) {
      events += 1;
      const at = monotonic();
      const before = state.contents;
      for (const one of readSignals(event)) take({ kind: "signal", at, signal: one, seq: events });
      if (state.contents === before || at - toldAt < TELL_MS) return;
      toldAt = at;
      onProgress({ kind: "tokens", battle, tokens: state.tokens, tokensPerSecond: tokensPerSecond(state) });
    },
    end: () => over.abort(),
    stalled: stopped.signal,
    stall: () => stall,
    measured() {
      const rate = tokensPerSecond(state);
      const quantile = (q: number): number | undefined => gapQuantile(state.gaps, q);
      const [p50, p95, max] = [quantile(0.5), quantile(0.95), quantile(1)];
      return {
        events,
        contents: state.contents,
        tokens: state.tokens,
        workedMs: Math.round(state.workedMs),
        ...(state.firstContentMs !== undefined && { ttftMs: Math.round(state.firstContentMs) }),
        ...(p50 !== undefined && p95 !== undefined && max !== undefined && { gapP50Ms: p50, gapP95Ms: p95, gapMaxMs: max }),
        ...(rate !== undefined && { tokensPerSecond: rate }),
      };
    },
    episodes: () => episodes,
    [Symbol.dispose]: () => over.abort(),
  };
}

/** What an agent said, and how it ended. */
function gather(maxLength: number) {
  const artifacts = new Map<string, { readonly head: Artifact; parts: Part[] }>();
  const messages = new Map<string, Message>();
  let status: TaskStatus = { state: "TASK_STATE_SUBMITTED" };
  let direct: Message | undefined;
  let told: ReturnType<typeof readExtension>;
  let length = 0;

  function add(parts: readonly Part[]): void {
    for (const { text, data } of parts) length += text?.length ?? (data === undefined ? 0 : JSON.stringify(data).length);
    if (length > maxLength) throw new IasError("too-large", `The answer has more than ${maxLength} characters (maxAnswerLength).`);
  }

  function put(artifact: Artifact, append: boolean): void {
    const open = artifacts.get(artifact.artifactId);
    if (open === undefined || !append) artifacts.set(artifact.artifactId, { head: artifact, parts: [...artifact.parts] });
    else open.parts.push(...artifact.parts);
    add(artifact.parts);
  }

  function hear(next: TaskStatus): void {
    status = next;
    const { message } = next;
    if (message === undefined || messages.has(message.messageId)) return;
    messages.set(message.messageId, message);
    add(message.parts);
  }

  return {
    note(event: StreamResponse): void {
      if ("message" in event) {
        direct = event.message;
        add(event.message.parts);
      } else if ("artifactUpdate" in event) put(event.artifactUpdate.artifact, event.artifactUpdate.append === true);
      else if ("task" in event) {
        for (const artifact of event.task.artifacts ?? []) put(artifact, false);
        hear(event.task.status);
      } else {
        const data = readExtension(event);
        if (data?.kind === "failure") told = data;
        if (data === undefined || data.kind === "failure") hear(event.statusUpdate.status);
      }
    },
    failure(): Failure | undefined {
      if (direct !== undefined || status.state === "TASK_STATE_COMPLETED") return undefined;
      const text = (status.message?.parts ?? []).map(({ text: one = "" }) => one).join("");
      const message = text === "" ? `The task ended as ${status.state}.` : text;
      if (told?.kind === "failure") {
        const { code, reason = code, details = {}, retryable } = told;
        return failureOf(new IasError("engine-failed", message, { reason, details, retryable }));
      }
      if (status.state === "TASK_STATE_FAILED") return { class: "agent-failed", code: "TASK_FAILED", message };
      if (isTerminal(status.state) || isInterrupted(status.state)) return { class: "deterministic", code: status.state.replace("TASK_STATE_", ""), message };
      return { class: "transport", code: "STREAM_ENDED", message: "The stream ended before the task did." };
    },
    read(): { readonly task: Task } | { readonly message: Message } {
      if (direct !== undefined) return { message: direct };
      const all = [...artifacts.values()].map(({ head, parts }) => ({ ...head, parts }));
      const history = [...messages.values()].filter(({ messageId }) => messageId !== status.message?.messageId);
      return { task: { id: "", contextId: "", status, artifacts: all, history } };
    },
  };
}

/** What an error is to a campaign: by its reason, its HTTP status, then its code. */
function failureOf(error: IasError): Failure {
  const { code, reason, details, message, retryAfterMs, retryable } = error;
  const status = Number(details["httpStatus"]);
  const kind = ((): Failure["class"] => {
    if (reason === "INFERENCE_STALLED") return "stall";
    if (reason === "MODEL_RATE_LIMIT" || code === "limit-reached" || status === 429) return "rate-limit";
    if (status >= 500 || reason === "MODEL_UNAVAILABLE") return "server-error";
    if (code === "unavailable" || code === "timeout" || code === "task-not-found") return "transport";
    if (code === "engine-failed" || code === "remote-failed" || code === "invalid-agent-response")
      return retryable || reason === undefined ? "agent-failed" : "deterministic";
    return retryable ? "server-error" : "deterministic";
  })();
  return { class: kind, code: reason ?? code, message: message.slice(0, 2000), ...(retryAfterMs !== undefined && { retryAfterMs }) };
}
