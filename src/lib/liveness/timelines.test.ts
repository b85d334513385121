import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { gapQuantile } from "./gaps.ts";
import { type Liveness, type LivenessEvent, type LivenessInput, type LivenessSignal, startLiveness } from "./liveness.ts";
import { step } from "./step.ts";
import { resolveThresholds, type Thresholds } from "./thresholds.ts";

/** The thresholds of the timelines: small and all different, so that none stands for another. */
const LIMITS = { connectMs: 70, firstByteMs: 500, firstContentMs: 500, gapMs: 100, toolMs: 300 };
/** Longest time between two looks at the clock. */
const TICK_MS = 13;

/** What happens in a stretch of time. `works` is the working time in it, ms; each begins and ends in generation. */
type Stretch =
  | { readonly kind: "contents"; readonly gaps: readonly number[] }
  /** Silence with bytes: heartbeats. */
  | { readonly kind: "bytes"; readonly ms: number }
  | { readonly kind: "usage"; readonly ms: number }
  | { readonly kind: "throttled" | "person"; readonly ms: number }
  | { readonly kind: "rate-limit"; readonly ms: number; readonly told: boolean; readonly connectMs: number; readonly firstMs: number }
  | { readonly kind: "tool"; readonly progress: readonly number[]; readonly firstMs: number }
  | { readonly kind: "child"; readonly progress: readonly number[] }
  | { readonly kind: "lag"; readonly ms: number };

const within = (limit: number): fc.Arbitrary<number> => fc.integer({ min: 0, max: limit });
const long = fc.integer({ min: 0, max: 5000 });
const stretch: fc.Arbitrary<Stretch> = fc.oneof(
  fc.record({ kind: fc.constant("contents" as const), gaps: fc.array(within(LIMITS.gapMs), { maxLength: 12 }) }),
  fc.record({ kind: fc.constantFrom("bytes" as const, "usage" as const), ms: within(LIMITS.gapMs) }),
  fc.record({ kind: fc.constantFrom("throttled" as const, "person" as const, "lag" as const), ms: long }),
  fc.record({
    kind: fc.constant("rate-limit" as const),
    ms: long,
    told: fc.boolean(),
    connectMs: within(LIMITS.connectMs),
    firstMs: within(LIMITS.firstContentMs),
  }),
  fc.record({ kind: fc.constant("tool" as const), progress: fc.array(within(LIMITS.toolMs), { maxLength: 6 }), firstMs: within(LIMITS.firstContentMs) }),
  fc.record({ kind: fc.constant("child" as const), progress: fc.array(within(LIMITS.toolMs), { maxLength: 6 }) }),
);

/** A stream whose clock ticks at least every `TICK_MS`, and what it told. */
function play(thresholds: Thresholds, tickMs = TICK_MS) {
  let state: Liveness = startLiveness(0, "connecting");
  let at = 0;
  const events: LivenessEvent[] = [];
  const give = (input: LivenessInput): void => {
    const next = step(state, input, thresholds);
    state = next.state;
    events.push(...next.events);
  };
  const wait = (ms: number): void => {
    const until = at + ms;
    while (at < until) {
      at = Math.min(until, at + tickMs);
      give({ kind: "tick", at });
    }
  };
  const signal = (one: LivenessSignal): void => give({ kind: "signal", at, signal: one });
  let usage = 0;
  /** The working time that this stretch took. */
  const stretchOf = (one: Stretch): number => {
    const start = at;
    switch (one.kind) {
      case "contents":
        for (const gap of one.gaps) {
          wait(gap);
          signal({ kind: "content" });
        }
        return at - start;
      case "bytes":
        wait(Math.floor(one.ms / 2));
        signal({ kind: "bytes" });
        wait(Math.ceil(one.ms / 2));
        signal({ kind: "content" });
        return at - start;
      case "usage":
        wait(one.ms);
        signal({ kind: "usage", outputTokens: (usage += 1000) });
        return at - start;
      case "throttled":
        signal({ kind: "throttled" });
        wait(one.ms);
        signal({ kind: "unthrottled" });
        signal({ kind: "content" });
        return 0;
      case "person":
        signal({ kind: "wait" });
        wait(one.ms);
        usage = 0;
        signal({ kind: "working" });
        signal({ kind: "content" });
        return 0;
      case "lag":
        at += one.ms;
        give({ kind: "tick", at, lagMs: one.ms });
        signal({ kind: "content" });
        return 0;
      case "rate-limit": {
        signal({ kind: "retry-wait", ...(one.told && { forMs: one.ms }) });
        wait(one.ms);
        signal({ kind: "connecting" });
        const from = at;
        wait(one.connectMs);
        signal({ kind: "working" });
        wait(one.firstMs);
        usage = 0;
        signal({ kind: "content" });
        return at - from;
      }
      case "tool":
        signal({ kind: "tool-start", call: "a" });
        for (const gap of one.progress) {
          wait(gap);
          signal({ kind: "tool-progress" });
        }
        signal({ kind: "tool-end", call: "a" });
        wait(one.firstMs);
        usage = 0;
        signal({ kind: "content" });
        return at - start;
      case "child":
        signal({ kind: "child" });
        for (const gap of one.progress) {
          wait(gap);
          signal({ kind: "child" });
        }
        signal({ kind: "content" });
        return at - start;
    }
  };
  return { stretchOf, wait, signal, give, events, now: () => at, state: () => state };
}

function kinds(events: readonly LivenessEvent[]): string[] {
  return events.flatMap(({ kind }) => (kind === "phase" ? [] : [kind]));
}

const stretches = fc.array(stretch, { maxLength: 12 });
const NEVER_SLOW = { ...LIMITS, slowAfter: 1 };

describe("over timelines", () => {
  it("a stream whose contents come within their thresholds is never called slow or stalled, whatever pauses lie between", () => {
    fc.assert(
      fc.property(stretches, (timeline) => {
        const stream = play(resolveThresholds(NEVER_SLOW));
        stream.signal({ kind: "content" });
        for (const one of timeline) stream.stretchOf(one);
        assert.deepEqual(kinds(stream.events), []);
      }),
      { numRuns: 500 },
    );
  });

  it("a stream that falls silent stalls exactly once, at the first tick after the gap, and recovers exactly once", () => {
    fc.assert(
      fc.property(stretches, fc.integer({ min: 1, max: 40 }), fc.integer({ min: 1, max: 2000 }), (timeline, tickMs, more) => {
        const stream = play(resolveThresholds(NEVER_SLOW), tickMs);
        stream.signal({ kind: "content" });
        for (const one of timeline) stream.stretchOf(one);
        stream.signal({ kind: "content" });
        stream.wait(LIMITS.gapMs + tickMs + more);
        const stalls = stream.events.flatMap((event) => (event.kind === "stalled" ? [event.stall] : []));
        assert.equal(stalls.length, 1);
        const { silenceMs = 0, threshold } = stalls[0] ?? {};
        assert.equal(threshold, "gapMs");
        assert.ok(silenceMs > LIMITS.gapMs && silenceMs <= LIMITS.gapMs + tickMs, `found after ${silenceMs} ms`);
        stream.signal({ kind: "content" });
        stream.signal({ kind: "content" });
        stream.wait(LIMITS.gapMs);
        assert.deepEqual(kinds(stream.events), ["stalled", "recovered"]);
      }),
      { numRuns: 500 },
    );
  });

  it("a pause in the silence puts the stall off by just its length", () => {
    fc.assert(
      fc.property(within(LIMITS.gapMs), fc.integer({ min: 1, max: 5000 }), fc.constantFrom("throttled" as const, "lag" as const), (before, pause, kind) => {
        const stream = play(resolveThresholds(NEVER_SLOW), 1);
        stream.signal({ kind: "content" });
        stream.wait(before);
        if (kind === "throttled") {
          stream.signal({ kind: "throttled" });
          stream.wait(pause);
          stream.signal({ kind: "unthrottled" });
        } else stream.give({ kind: "tick", at: stream.now() + pause, lagMs: pause });
        const left = LIMITS.gapMs - before;
        const from = kind === "lag" ? stream.now() + pause : stream.now();
        stream.give({ kind: "tick", at: from + left });
        assert.deepEqual(kinds(stream.events), []);
        stream.give({ kind: "tick", at: from + left + 1 });
        assert.deepEqual(kinds(stream.events), ["stalled"]);
      }),
    );
  });

  it("working time is the time in which the agent could have worked", () => {
    fc.assert(
      fc.property(stretches, (timeline) => {
        const stream = play(resolveThresholds(NEVER_SLOW));
        stream.signal({ kind: "content" });
        const worked = timeline.reduce((sum, one) => sum + stream.stretchOf(one), 0);
        assert.equal(stream.state().workedMs, worked);
      }),
    );
  });

  it("an adaptive gap follows the p99 of the stream's own gaps", () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 60 }), fc.integer({ min: 2, max: 5 }), (gaps, factor) => {
        const sorted = gaps.toSorted((a, b) => a - b);
        const p99 = sorted[Math.ceil(sorted.length * 0.99) - 1] ?? 0;
        const stream = play(resolveThresholds({ gapMs: 100, adaptiveFactor: factor, slowAfter: 1 }), 10_000);
        stream.signal({ kind: "content" });
        let at = 0;
        for (const gap of gaps) stream.give({ kind: "signal", at: (at += gap), signal: { kind: "content" } });
        assert.ok(Math.abs((gapQuantile(stream.state().gaps, 0.99) ?? 0) / p99 - 1) < 0.1, "within a bucket");
        stream.give({ kind: "tick", at: at + Math.max(100, 0.9 * factor * p99) });
        assert.deepEqual(kinds(stream.events), []);
        stream.give({ kind: "tick", at: at + Math.max(100, 1.1 * factor * p99) + 1 });
        assert.deepEqual(kinds(stream.events), ["stalled"]);
      }),
    );
  });
});

const anySignal: fc.Arbitrary<LivenessSignal> = fc.oneof(
  fc.record({ kind: fc.constantFrom("queued", "connecting", "working", "bytes", "tool-progress", "child", "wait", "throttled", "unthrottled") }),
  fc.record({ kind: fc.constant("content" as const) }),
  fc.record({ kind: fc.constant("content" as const), tokens: fc.nat(9) }),
  fc.record({ kind: fc.constant("usage" as const), outputTokens: fc.nat(200) }),
  fc.record({ kind: fc.constantFrom("tool-start" as const, "tool-end" as const), call: fc.constantFrom("a", "b") }),
  fc.record({ kind: fc.constant("retry-wait" as const), forMs: fc.nat(300) }),
);

const anyInput: fc.Arbitrary<{ readonly ms: number; readonly what: LivenessSignal | number }> = fc.record({
  ms: fc.integer({ min: -20, max: 200 }),
  what: fc.oneof(anySignal, fc.nat(50)),
});

function freeze<T>(value: T): T {
  if (typeof value === "object" && value !== null && !Object.isFrozen(value)) for (const one of Object.values(Object.freeze(value))) freeze(one);
  return value;
}

describe("over any inputs", () => {
  it("is pure, keeps its clocks in order, and tells one slow, one stalled and one recovered an episode", () => {
    const thresholds = freeze(resolveThresholds({ ...LIMITS, connectionMs: 150, slowRate: 20, workMs: 2000, adaptiveFactor: 2 }));
    fc.assert(
      fc.property(fc.array(anyInput, { maxLength: 120 }), (inputs) => {
        let state = freeze(startLiveness(0));
        let at = 0;
        let health: Liveness["health"] = "ok";
        let overtimes = 0;
        for (const { ms, what } of inputs) {
          at += ms;
          const input: LivenessInput = freeze(typeof what === "number" ? { kind: "tick", at, lagMs: what } : { kind: "signal", at, signal: what });
          const next = freeze(step(state, input, thresholds));
          assert.deepEqual(step(state, input, thresholds), next);
          for (const event of next.events) {
            if (event.kind === "overtime") overtimes += 1;
            if (event.kind === "stalled") assert.equal(input.kind, "tick", "only a tick finds silence");
            const before: string = health;
            if (event.kind === "slow" || event.kind === "stalled") {
              assert.ok(before === "ok" || (before === "slow" && event.kind === "stalled"), `${event.kind} while ${before}`);
              health = event.kind;
            }
            if (event.kind === "recovered") {
              assert.ok(event.from === before);
              health = "ok";
            }
          }
          assert.equal(next.state.health, health);
          assert.ok(next.state.at >= state.at && next.state.quietSince <= next.state.at && next.state.bytesAt <= next.state.at);
          assert.ok(next.state.tokens >= state.tokens && next.state.contents >= state.contents && next.state.workedMs >= state.workedMs);
          assert.ok(next.state.workedMs <= next.state.at);
          state = next.state;
        }
        assert.ok(overtimes <= 1);
      }),
      { numRuns: 300 },
    );
  });
});
