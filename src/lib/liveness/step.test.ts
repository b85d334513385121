import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Liveness, type LivenessEvent, type LivenessSignal, phaseOf, startLiveness, tokensPerSecond } from "./liveness.ts";
import { limitOf, step } from "./step.ts";
import { resolveThresholds, type Thresholds } from "./thresholds.ts";

/** A stream that is driven by hand; `told` are the events since the last look, phases aside. */
function drive(given: Partial<Thresholds> = {}, activity: "queued" | "connecting" | "prefill" = "prefill") {
  const thresholds = resolveThresholds(given);
  let state: Liveness = startLiveness(0, activity);
  let events: LivenessEvent[] = [];
  const take = (next: ReturnType<typeof step>): void => {
    state = next.state;
    events.push(...next.events);
  };
  return {
    get state() {
      return state;
    },
    /** A signal at `at`. */
    at(at: number, signal: LivenessSignal["kind"] | LivenessSignal, seq?: number) {
      const whole = typeof signal === "string" ? ({ kind: signal } as LivenessSignal) : signal;
      take(step(state, { kind: "signal", at, signal: whole, ...(seq !== undefined && { seq }) }, thresholds));
    },
    tick: (at: number, lagMs = 0) => take(step(state, { kind: "tick", at, lagMs }, thresholds)),
    limit: () => limitOf(state, thresholds)?.threshold,
    /** Takes what was told: kinds, with the threshold of a stall. */
    told(): string[] {
      const kinds = events.flatMap((event) => (event.kind === "phase" ? [] : [event.kind === "stalled" ? `stalled:${event.stall.threshold}` : event.kind]));
      events = [];
      return kinds;
    },
    events: () => events,
  };
}

const QUIET = { slowAfter: 1 };

describe("which threshold silence runs against", () => {
  const cases: readonly (readonly [string, (live: ReturnType<typeof drive>) => void, string | undefined])[] = [
    ["queued", (live) => live.at(1, "queued"), undefined],
    ["connecting", () => {}, "connectMs"],
    ["taken, no byte yet", (live) => live.at(1, "working"), "firstByteMs"],
    ["a byte, no content yet", (live) => live.at(1, "bytes"), "firstContentMs"],
    ["content", (live) => live.at(1, "content"), "gapMs"],
    ["a tool", (live) => live.at(1, { kind: "tool-start", call: "a" }), "toolMs"],
    ["a child", (live) => live.at(1, "child"), "toolMs"],
    ["a person", (live) => live.at(1, "wait"), undefined],
    ["a rate limit", (live) => live.at(1, "retry-wait"), undefined],
    ["the end", (live) => live.at(1, "ended"), undefined],
  ];
  for (const [what, act, threshold] of cases) {
    it(`${what}: ${threshold ?? "none"}`, () => {
      const live = drive({ firstByteMs: 100, firstContentMs: 1000 }, "connecting");
      act(live);
      assert.equal(live.limit(), threshold);
    });
  }

  it("names firstContentMs where firstByteMs would not end sooner", () => {
    const live = drive({ firstByteMs: 1000, firstContentMs: 1000 });
    assert.equal(live.limit(), "firstContentMs");
  });
});

describe("stalls", () => {
  it("tells a stall once, with what is known of it, and a recovery once", () => {
    const live = drive({ gapMs: 100, ...QUIET });
    live.at(10, "content", 3);
    live.at(20, { kind: "content", tokens: 4 }, 4);
    live.at(50, "bytes", 5);
    live.tick(120);
    assert.deepEqual(live.told(), []);
    live.tick(121);
    const stalled = live.events().find((event) => event.kind === "stalled");
    assert.deepEqual(stalled, {
      kind: "stalled",
      stall: { activity: "generating", threshold: "gapMs", limitMs: 100, silenceMs: 101, bytesSilenceMs: 71, lastSeq: 5, contents: 2, tokens: 5 },
    });
    assert.equal(phaseOf(live.state), "stalled");
    live.tick(500);
    live.at(600, "bytes");
    assert.deepEqual(live.told(), ["stalled:gapMs"]);
    live.at(700, "content");
    live.at(710, "content");
    live.tick(720);
    assert.deepEqual(live.told(), ["recovered"]);
    assert.equal(phaseOf(live.state), "generating");
  });

  it("is never told by what arrives, however late", () => {
    const live = drive({ gapMs: 100, ...QUIET });
    live.at(10, "content");
    live.at(10_000, "content");
    assert.deepEqual(live.told(), []);
  });

  it("of a missing byte ends with a byte, of missing content only with content", () => {
    const bytes = drive({ firstByteMs: 10, firstContentMs: 1000, ...QUIET });
    bytes.tick(20);
    bytes.at(30, "bytes");
    assert.deepEqual(bytes.told(), ["stalled:firstByteMs", "recovered"]);
    const content = drive({ firstByteMs: 10, firstContentMs: 15, ...QUIET });
    content.at(5, "bytes");
    content.tick(20);
    content.at(30, "bytes");
    assert.deepEqual(content.told(), ["stalled:firstContentMs"]);
  });

  it("tells a dead connection where heartbeats are promised, though content is not missing yet", () => {
    const live = drive({ connectionMs: 50, gapMs: 1000, ...QUIET });
    live.at(10, "content");
    for (const at of [40, 80, 120]) live.at(at, "bytes");
    live.tick(170);
    assert.deepEqual(live.told(), []);
    live.tick(171);
    live.at(180, "bytes");
    assert.deepEqual(live.told(), ["stalled:connectionMs", "recovered"]);
  });

  it("gives a refused or silent model server connectMs, and a taken request more", () => {
    const live = drive({ connectMs: 10, ...QUIET }, "connecting");
    live.tick(11);
    live.at(12, "working");
    live.tick(1000);
    assert.deepEqual(live.told(), ["stalled:connectMs", "recovered"]);
  });

  it("allows adaptive gaps of so many times the p99 of this stream's own", () => {
    const live = drive({ gapMs: 100, adaptiveFactor: 3, ...QUIET });
    let at = 0;
    for (let n = 0; n < 20; n += 1) live.at((at += 80), "content");
    live.tick(at + 200);
    assert.deepEqual(live.told(), []);
    live.tick(at + 300);
    assert.deepEqual(live.told(), ["stalled:gapMs"]);
  });
});

describe("pauses", () => {
  it("a person's time is not counted, and their words' echo does not end the wait", () => {
    const live = drive({ gapMs: 10, firstContentMs: 20, firstByteMs: 20, ...QUIET });
    live.at(1, "content");
    live.at(2, "wait");
    live.at(3, "content");
    live.tick(1_000_000);
    assert.deepEqual(live.told(), []);
    assert.equal(live.state.activity, "waiting-input");
    live.at(1_000_001, "working");
    live.tick(1_000_022);
    assert.deepEqual(live.told(), ["stalled:firstContentMs"]);
  });

  it("a rate limit's time is not counted; after it the request goes out again", () => {
    const live = drive({ connectMs: 10, ...QUIET });
    live.at(5, { kind: "retry-wait", forMs: 60_000 });
    live.tick(60_004);
    assert.equal(live.state.activity, "retry-wait");
    live.tick(60_005);
    assert.equal(live.state.activity, "connecting");
    assert.equal(live.state.workedMs, 5);
    live.tick(60_016);
    assert.deepEqual(live.told(), ["stalled:connectMs"]);
  });

  it("our own back-pressure stops every timer, and the gap goes on afterwards", () => {
    const live = drive({ gapMs: 100, connectionMs: 150, ...QUIET });
    live.at(0, "content");
    live.tick(60);
    live.at(60, "throttled");
    live.tick(10_000);
    assert.equal(phaseOf(live.state), "throttled");
    live.at(10_060, "unthrottled");
    live.tick(10_100);
    assert.deepEqual(live.told(), []);
    live.tick(10_101);
    assert.deepEqual(live.told(), ["stalled:gapMs"]);
    assert.equal(live.state.workedMs, 101);
  });

  it("a blocked event loop adds itself to every deadline, also if a byte was read between its end and the tick", () => {
    for (const between of [false, true]) {
      const live = drive({ gapMs: 100, ...QUIET });
      live.at(0, "content");
      live.tick(50);
      if (between) live.at(5050, "bytes");
      live.tick(5050, 5000);
      assert.deepEqual(live.told(), []);
      live.tick(5100);
      assert.deepEqual(live.told(), []);
      live.tick(5101);
      assert.deepEqual(live.told(), ["stalled:gapMs"]);
    }
  });

  it("a child that goes on and a tool that reports progress push their deadline on", () => {
    for (const [begin, progress] of [
      [{ kind: "child" }, { kind: "child" }],
      [{ kind: "tool-start", call: "a" }, { kind: "tool-progress" }],
    ] as const) {
      const live = drive({ toolMs: 100, gapMs: 10, ...QUIET });
      live.at(0, begin);
      for (let at = 90; at < 900; at += 90) {
        live.tick(at - 1);
        live.at(at, progress);
      }
      live.tick(910);
      assert.deepEqual(live.told(), []);
      live.tick(911);
      assert.deepEqual(live.told(), ["stalled:toolMs"]);
    }
  });

  it("a tool's progress does not stand for the model's", () => {
    const live = drive({ gapMs: 100, ...QUIET });
    live.at(0, "content");
    live.at(90, "tool-progress");
    live.tick(101);
    assert.deepEqual(live.told(), ["stalled:gapMs"]);
  });

  it("waits for the last of parallel tools, and then for the next call's first content", () => {
    const live = drive({ gapMs: 10, toolMs: 1000, firstByteMs: 500, firstContentMs: 500, ...QUIET });
    live.at(0, "content");
    live.at(1, { kind: "tool-start", call: "a" });
    live.at(2, { kind: "tool-start", call: "b" });
    live.at(300, { kind: "tool-end", call: "a" });
    assert.equal(live.state.activity, "tool");
    live.at(600, { kind: "tool-end", call: "b" });
    assert.equal(live.state.activity, "prefill");
    live.tick(1100);
    assert.deepEqual(live.told(), []);
    live.at(1100, "content");
    live.at(1105, "content");
    assert.deepEqual(
      live.state.gaps.reduce((sum, count) => sum + count, 0),
      1,
      "what the tools took is no gap of the model's",
    );
  });
});

describe("slow", () => {
  it("is told once before the stall, and ends when content comes soon again", () => {
    const live = drive({ gapMs: 100, slowAfter: 0.5 });
    let at = 0;
    live.at(at, "content");
    // A token every 60: slow, but neither stalled nor told of at each token.
    for (let n = 0; n < 10; n += 1) {
      live.tick(at + 55);
      live.at((at += 60), "content");
    }
    assert.deepEqual(live.told(), ["slow"]);
    assert.equal(phaseOf(live.state), "slow");
    live.at(at + 10, "content");
    assert.deepEqual(live.told(), ["recovered"]);
  });

  it("by rate is told once and ends clearly above the rate", () => {
    const live = drive({ slowRate: 10 });
    let at = 0;
    const run = (count: number, gap: number): void => {
      for (let n = 0; n < count; n += 1) live.at((at += gap), "content");
    };
    run(9, 200);
    assert.deepEqual(live.told(), [], "ten contents are needed for a rate");
    run(20, 200);
    assert.deepEqual(live.told(), ["slow"]);
    run(30, 95);
    assert.deepEqual(live.told(), [], "on the edge it does not flutter");
    run(30, 20);
    assert.deepEqual(live.told(), ["recovered"]);
  });

  it("becomes stalled without a recovery between", () => {
    const live = drive({ gapMs: 100, slowAfter: 0.5 });
    live.at(0, "content");
    for (const at of [51, 80, 101, 200]) live.tick(at);
    live.at(210, "content");
    assert.deepEqual(live.told(), ["slow", "stalled:gapMs", "recovered"]);
  });
});

describe("counts", () => {
  it("of contents that came at once is no number without an end", () => {
    const live = drive(QUIET);
    for (let count = 0; count < 1000; count += 1) live.at(count < 2 ? count : 2, { kind: "content", tokens: 1 });
    const rate = tokensPerSecond(live.state) ?? 0;
    assert.ok(rate > 1000 && rate <= 20_000, `${rate} tokens a second`);
  });

  it("takes tokens from usage where they are told, once for each chunk that they measure", () => {
    const live = drive();
    for (const [at, total] of [
      [100, 4],
      [200, 8],
      [300, 12],
    ] as const) {
      live.at(at, "content");
      live.at(at, { kind: "usage", outputTokens: total });
    }
    assert.deepEqual([live.state.contents, live.state.tokens, live.state.gaps.reduce((sum, count) => sum + count, 0)], [3, 12, 2]);
    assert.equal(Math.round(tokensPerSecond(live.state) ?? 0), 40);
  });

  it("takes growth of usage without any content for generation: a parser may hold tokens back", () => {
    const live = drive({ gapMs: 100, ...QUIET });
    live.at(0, "content");
    for (let at = 90; at < 900; at += 90) {
      live.tick(at - 1);
      live.at(at, { kind: "usage", outputTokens: at });
    }
    assert.deepEqual(live.told(), []);
    live.at(890, { kind: "usage", outputTokens: 810 });
    live.tick(911);
    assert.deepEqual(live.told(), ["stalled:gapMs"], "usage that does not grow proves the connection only");
    live.at(920, { kind: "usage", outputTokens: 811 });
    assert.deepEqual(live.told(), ["recovered"]);
  });

  it("measures the time to the first content in working time", () => {
    const live = drive({}, "queued");
    live.at(1000, "connecting");
    live.at(1100, "working");
    live.at(1200, { kind: "retry-wait", forMs: 500 });
    live.at(1700, "connecting");
    live.at(1750, "working");
    live.at(2000, "content");
    assert.equal(live.state.firstContentMs, 500);
  });

  it("tells overtime once, of working time only, and only where a limit is set", () => {
    const live = drive({ workMs: 100, gapMs: 1000, slowAfter: 1 });
    live.at(60, "content");
    live.at(70, "wait");
    live.tick(10_000);
    live.at(10_000, "working");
    live.tick(10_030);
    assert.deepEqual(live.told(), []);
    live.tick(10_031);
    live.tick(10_050);
    assert.deepEqual(live.told(), ["overtime"]);
  });

  it("says nothing after the end", () => {
    const live = drive({ gapMs: 10 });
    live.at(1, "content");
    live.at(2, "ended");
    const { state } = live;
    live.tick(1000);
    live.at(1001, "content");
    assert.equal(live.state, state);
    assert.deepEqual(live.told(), []);
  });
});

describe("thresholds", () => {
  it("refuse what cannot be right, and say what is", () => {
    assert.throws(() => resolveThresholds({ gapMs: 0 }), /gapMs is 0; right is a number of ms above 0, or Infinity/);
    assert.throws(() => resolveThresholds({ slowAfter: 1.5 }), /slowAfter is 1.5; right is a share above 0, at most 1/);
    assert.throws(() => resolveThresholds({ slowRate: Number.POSITIVE_INFINITY }), /slowRate is Infinity; right is 0 or more/);
    assert.throws(() => resolveThresholds({ toolMs: "5" as unknown as number }), /toolMs is 5/);
    assert.throws(() => resolveThresholds({ gap: 5 } as Partial<Thresholds>), /There is no threshold "gap"; there are connectMs/);
  });
});
