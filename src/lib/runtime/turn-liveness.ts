import type { Agent } from "../engine/agent.ts";
import type { AgentEvent } from "../engine/engine.ts";
import { type Activity, type Liveness, type LivenessEvent, type LivenessSignal, startLiveness } from "../liveness/liveness.ts";
import { inferenceStalled } from "../liveness/stalled.ts";
import { step } from "../liveness/step.ts";
import { resolveThresholds } from "../liveness/thresholds.ts";
import type { Ticker } from "../liveness/ticker.ts";
import { toLivenessFacts } from "../liveness/to-facts.ts";
import { IasError } from "../model/errors.ts";
import type { LivenessFacts } from "../model/extension.ts";

/** Watches one turn (SEMANTICS 28) where its engine runs, and tells readers what they cannot see by themselves (`PROTOCOL.md`, section 8). Disposing ends it. */
export interface TurnLiveness extends Disposable {
  /** The engine gave an event; `shown`: readers of the extension have an entry of it. Called after it was written. */
  saw(event: AgentEvent, shown: boolean): void;
  /** We stop reading the engine until `release`. */
  hold(): void;
  release(): void;
}

/** What a watch of a turn needs. */
export interface TurnLivenessOptions {
  readonly ticker: Ticker;
  readonly agent: Pick<Agent, "liveness">;
  /** Nothing is told so long, ms, unless the engine gave an event: it may be about to reply with a message only (SEMANTICS 6). */
  readonly quietMs: number;
  /** The newest entry. */
  readonly lastSeq: () => number;
  /** Writes an entry. */
  readonly tell: (facts: LivenessFacts) => void;
  /** Ends the turn, where the agent aborts stalled ones. */
  readonly onStall: (error: IasError) => void;
}

/** A phase that only the owner sees is told when it has lasted so long, ms. */
const TOLD_AFTER_MS = 1000;
/** Progress that readers do not see is told so often, ms. */
const HIDDEN_MS = 10_000;

/** A watch from now on. */
export function createTurnLiveness(options: TurnLivenessOptions): TurnLiveness {
  const { ticker, tell } = options;
  const { onStall } = options.agent.liveness;
  const thresholds = resolveThresholds(options.agent.liveness.thresholds);
  const startedAt = ticker.now();
  let state: Liveness = startLiveness(startedAt, "prefill");
  /** What readers take it to do. */
  let known: Activity | "throttled" = "prefill";
  let hasEvents = false;
  let over = false;
  /** Working time when the present model call began. */
  let callFrom = 0;
  /** When readers last had a sign, and whether there was progress since that they had none of. */
  let shownAt = startedAt;
  let hidden = false;
  let heldAt: number | undefined;
  /** Contents of a generation that goes well, since the last look: most of what comes, told as two at the next, because a step for each costs more than the rest of this. */
  let burst = 0;
  let burstFrom = 0;
  let burstAt = 0;

  const say = (facts: LivenessFacts): void => {
    shownAt = state.at;
    hidden = false;
    tell(facts);
  };
  const sayPhase = (phase: "connecting" | "prefill" | "retry-wait"): void => {
    known = phase;
    const forMs = phase === "retry-wait" && state.retryUntil !== undefined ? Math.round(state.retryUntil - state.at) : undefined;
    say(forMs === undefined ? { phase } : { phase: "retry-wait", forMs });
  };

  const onPhase = (to: Activity): void => {
    const isWait = to === "connecting" || to === "prefill";
    // Readers who were told of a wait must hear that it is over.
    if (isWait && (known === "connecting" || known === "retry-wait") && known !== to) sayPhase(to);
    if (to === "retry-wait" && (state.retryUntil ?? 0) - state.at >= TOLD_AFTER_MS) sayPhase(to);
    if (to === "generating") {
      const afterMs = Math.round(state.workedMs - callFrom);
      if (afterMs >= TOLD_AFTER_MS) say({ phase: "generating", afterMs, tokens: state.callTokens });
    }
    if (!isWait && to !== "retry-wait") known = to;
  };
  const take = (events: readonly LivenessEvent[]): void => {
    for (const event of events) {
      if (over) return;
      if (event.kind === "phase") {
        const begins = (event.to === "connecting" || event.to === "prefill") && event.from !== "connecting" && event.from !== "retry-wait";
        if (begins) {
          callFrom = state.workedMs;
          if (known !== "connecting" && known !== "retry-wait") known = "prefill";
        }
        onPhase(event.to);
        continue;
      }
      say(toLivenessFacts(event));
      if (onStall === "report") continue;
      if (event.kind === "stalled") options.onStall(inferenceStalled(event.stall));
      if (event.kind === "overtime") {
        const said = `The turn worked for ${Math.round(event.workedMs / 1000)} s, longer than workMs (${event.limitMs}) allows.`;
        options.onStall(new IasError("timeout", said, { reason: "TURN_TOO_LONG" }));
      }
    }
  };
  const give = (one: LivenessSignal, at: number, seq?: number): void => {
    const next = step(state, { kind: "signal", at, signal: one, ...(seq !== undefined && { seq }) }, thresholds);
    state = next.state;
    if (next.events.length > 0) take(next.events);
  };
  const flush = (): void => {
    if (burst === 0) return;
    const more = burst - 1;
    burst = 0;
    give({ kind: "content" }, burstFrom, options.lastSeq());
    if (more > 0) give({ kind: "content", contents: more }, burstAt, options.lastSeq());
  };
  const signal = (one: LivenessSignal, seq?: number): void => {
    flush();
    give(one, ticker.now(), seq);
  };
  const tick = (at: number, lagMs: number): void => {
    flush();
    const next = step(state, { kind: "tick", at, lagMs }, thresholds);
    state = next.state;
    if (!hasEvents && at - startedAt < options.quietMs) return;
    take(next.events);
    if (over) return;
    const { activity } = state;
    if (state.throttled) {
      if (known !== "throttled" && heldAt !== undefined && at - heldAt >= TOLD_AFTER_MS) {
        known = "throttled";
        say({ phase: "throttled" });
      }
      return;
    }
    if ((activity === "connecting" || activity === "retry-wait") && known !== activity && at - state.since >= TOLD_AFTER_MS) sayPhase(activity);
    if (hidden && at - shownAt >= HIDDEN_MS && (activity === "generating" || activity === "tool" || activity === "child-working")) {
      say(activity === "generating" ? { phase: activity, tokens: state.callTokens } : { phase: activity });
    }
  };
  const leave = ticker.add(tick);

  return {
    saw(event, shown) {
      if (over) return;
      if (event.kind !== "liveness") hasEvents = true;
      if (shown) {
        shownAt = state.at;
        hidden = false;
      } else hidden = true;
      const signals = toSignals(event);
      if (signals === CONTENT && state.activity === "generating" && state.health === "ok" && thresholds.adaptiveFactor === 0) {
        burstAt = ticker.now();
        if (burst === 0) burstFrom = burstAt;
        burst += 1;
        return;
      }
      for (const one of signals) signal(one, shown ? options.lastSeq() : undefined);
    },
    hold() {
      if (over) return;
      heldAt = ticker.now();
      signal({ kind: "throttled" });
    },
    release() {
      if (over || heldAt === undefined) return;
      const forMs = Math.round(ticker.now() - heldAt);
      heldAt = undefined;
      signal({ kind: "unthrottled" });
      if (known !== "throttled") return;
      known = state.activity;
      say({ phase: "unthrottled", forMs });
    },
    [Symbol.dispose]() {
      over = true;
      leave();
    },
  };
}

const CONTENT: readonly LivenessSignal[] = [{ kind: "content" }];
const BYTES: readonly LivenessSignal[] = [{ kind: "bytes" }];
const CHILD: readonly LivenessSignal[] = [{ kind: "child" }];
/** After a hand-off another model call begins, and the agent goes on. */
const HANDOFF: readonly LivenessSignal[] = [{ kind: "connecting" }, { kind: "working" }];
const NONE: readonly LivenessSignal[] = [];

/** What an agent's event proves. The events that end the turn end its watch. */
function toSignals(event: AgentEvent): readonly LivenessSignal[] {
  if ("path" in event && event.path !== undefined && event.path.length > 0) return CHILD;
  switch (event.kind) {
    case "text":
    case "reasoning":
      return event.text === "" ? BYTES : CONTENT;
    case "artifact":
      return event.artifact.parts.some((part) => part.text !== "") ? CONTENT : BYTES;
    case "status":
      return event.message === undefined ? BYTES : CONTENT;
    case "tool-call":
      return [{ kind: "tool-start", call: event.call }];
    case "tool-result":
      return [{ kind: "tool-end", call: event.call }];
    case "delegation":
      return event.via === "handoff" ? HANDOFF : CHILD;
    case "usage":
      return [{ kind: "usage", outputTokens: event.usage.outputTokens }];
    case "liveness":
      // An engine does not end its own turn by a word, nor does it know of our back-pressure.
      return event.signal.kind === "ended" || event.signal.kind === "throttled" || event.signal.kind === "unthrottled" ? BYTES : [event.signal];
    case "note":
    case "checkpoint":
      return BYTES;
    case "interrupt":
    case "reply":
    case "end":
      return NONE;
  }
}
