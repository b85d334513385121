import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import type { Attempt } from "../../campaign/attempt.ts";
import type { Progress } from "../../campaign/progress.ts";
import type { Phase } from "../../liveness/liveness.ts";
import { joinKey } from "../../model/key.ts";
import { textWidth } from "../text-width.ts";
import { createLiveState } from "./live-state.ts";
import { renderLive } from "./live-view.ts";

function attemptOf(item: string, change: Partial<Attempt> = {}): Attempt {
  const measured = { events: 0, contents: 0, tokens: 0, workedMs: 0, durationMs: 0 };
  const ids = { messageId: "m", contextId: "c", startedAt: 0 };
  return { battle: joinKey("llama", item, "1"), subject: "llama", item, repeat: 1, attempt: 1, ...ids, measured, episodes: [], ...change };
}

const started = (item: string): Progress => ({ kind: "attempt-started", attempt: attemptOf(item), resumed: false });
const phase = (item: string, to: Phase, at = 0): Progress => ({ kind: "phase", battle: joinKey("llama", item, "1"), attempt: 1, phase: to, at });
const tokens = (item: string, count: number, tokensPerSecond: number): Progress => ({
  kind: "tokens",
  battle: joinKey("llama", item, "1"),
  tokens: count,
  tokensPerSecond,
});
const judged = (item: string, pass: boolean, change: Partial<Attempt["measured"]> = {}): Progress => ({
  kind: "attempt-ended",
  attempt: attemptOf(item, {
    outcome: { kind: "judged", verdict: { pass, score: pass ? 1 : 0 }, answer: "" },
    measured: { events: 10, contents: 9, tokens: 100, workedMs: 1, durationMs: 1, ttftMs: 400, gapP50Ms: 20, gapP95Ms: 50, ...change },
  }),
});

/** The view as text, after steps of (time, progress). */
function view(steps: readonly (readonly [number, Progress])[], { columns = 80, rows = 24, now = 1000 } = {}): readonly string[] {
  const { state, apply } = createLiveState();
  for (const [at, progress] of steps) apply(progress, at);
  return renderLive(state, { columns, rows, now }).map((line) =>
    line
      .map(({ text }) => text)
      .join("")
      .trimEnd(),
  );
}

const begin: readonly [number, Progress] = [1000, { kind: "started", campaign: "nightly", resumed: false, done: 0, target: 25 }];

test("each battle says what it does, since when, and how fast; totals stand above", () => {
  const lines = view(
    [
      begin,
      [1000, started("a")],
      [1000, started("b")],
      [2000, phase("a", "prefill")],
      [3000, phase("a", "generating")],
      [413_000, tokens("a", 812, 43.2)],
      [4000, judged("b", true)],
    ],
    { now: 414_000 },
  );
  assert.deepEqual(lines, [
    "nightly  ━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━ 1/25 judged",
    "1 of 1 passed · 912 tokens · 43 tok/s · TTFT p50 400 ms p95 400 ms",
    "gap p50 20 ms p95 50 ms · 6:53",
    "1 running · 2 attempts",
    "",
    "  a                             generating 6:51          43 tok/s     812 tokens",
    "",
    "› llama · b passed",
  ]);
});

test("a battle that stalls or slows is first, is counted once, and its recovery is told", () => {
  const steps: (readonly [number, Progress])[] = [
    begin,
    [1000, started("a")],
    [1001, started("b")],
    [1002, phase("b", "generating")],
    [1003, phase("b", "slow")],
  ];
  steps.push([1004, phase("b", "stalled")]);
  const lines = view(steps, { now: 33_004 });
  assert.ok(lines.findIndex((line) => line.startsWith("  b ")) < lines.findIndex((line) => line.startsWith("  a ")));
  assert.ok(lines.some((line) => line.includes("stalled 0:32")));
  assert.ok(lines.some((line) => line.includes("1 stall · 1 slow")));
  assert.ok(view([...steps, [1005, phase("b", "generating")]]).some((line) => line === "› llama · b goes on: generating"));
  assert.ok(!view([...steps, [1005, phase("b", "ended")]]).some((line) => line.includes("goes on")), "given up is no recovery");
});

test("a rate that is not of now is silence instead", () => {
  const steps: (readonly [number, Progress])[] = [begin, [1000, started("a")], [1000, phase("a", "generating")], [2000, tokens("a", 3, 50)]];
  assert.ok(view(steps, { now: 4000 }).some((line) => line.includes("50 tok/s     ")));
  assert.ok(view(steps, { now: 14_000 }).some((line) => line.includes("quiet 12 s")));
});

test("a battle that waits for its next attempt says for how long and why; retries are counted by class", () => {
  const lines = view(
    [begin, [1000, started("a")], [1000, judged("a", false)], [1000, { kind: "retry", battle: "llama/a/1", inMs: 46_000, why: "rate-limit" }]],
    {
      now: 2000,
    },
  );
  assert.ok(lines.some((line) => /  a +retrying in 0:45 +rate-limit/.test(line)));
  assert.ok(lines.some((line) => line.includes("1 waiting") && line.includes("1 retry (1 rate-limit)")));
});

test("the time that is left is told from the second battle on", () => {
  const steps: (readonly [number, Progress])[] = [begin, [1000, judged("a", true)]];
  assert.ok(!view(steps, { now: 11_000 }).some((line) => line.includes("ETA")));
  assert.ok(view([...steps, [1000, judged("b", true)]], { now: 11_000 }).some((line) => line.includes("ETA 1:55")));
});

test("what does not fit is summed up: the view is never wider or higher than the window", () => {
  const steps: (readonly [number, Progress])[] = [begin];
  for (let index = 0; index < 200; index += 1) {
    steps.push([1000, started(`item ${index} with a long name 日本語`)]);
    if (index % 2 === 0) steps.push([1000, phase(`item ${index} with a long name 日本語`, "generating")]);
  }
  const lines = view(steps, { rows: 12 });
  assert.ok(
    lines.some((line) => /… and \d+ more: \d+ generating, \d+ queued/.test(line)),
    lines.join("\n"),
  );
  for (const columns of [1, 2, 10, 20, 40, 41, 56, 75, 80, 200])
    for (const rows of [2, 5, 9, 12, 24, 60]) {
      const shown = view(steps, { columns, rows });
      assert.ok(shown.length <= rows - 1);
      for (const line of shown) assert.ok(textWidth(line) <= columns, `${columns}: ${line}`);
    }
});

test("at 40 columns a battle still says what it does and since when", () => {
  const lines = view([begin, [1000, started("a")], [1000, phase("a", "generating")]], { columns: 40, now: 411_000 });
  assert.ok(lines.some((line) => line.startsWith("  a ") && line.includes("generating 6:50")));
});

test("any progress in any order renders, and no battle that has ended is shown as running", () => {
  const item = fc.constantFrom("a", "b", "c");
  const progress: fc.Arbitrary<Progress> = fc.oneof(
    item.map(started),
    fc.tuple(item, fc.constantFrom<Phase>("queued", "prefill", "generating", "slow", "stalled", "ended")).map(([id, to]) => phase(id, to)),
    fc.tuple(item, fc.nat(), fc.float({ noNaN: true, min: 0, max: 1000 })).map(([id, sum, speed]) => tokens(id, sum, speed)),
    fc.tuple(item, fc.boolean()).map(([id, pass]) => judged(id, pass)),
  );
  fc.assert(
    fc.property(fc.array(progress), fc.integer({ min: 1, max: 120 }), fc.integer({ min: 2, max: 40 }), (all, columns, rows) => {
      const { state, apply } = createLiveState();
      for (const one of [begin[1], ...all]) apply(one, 1000);
      const last = new Map(all.filter((one) => one.kind === "attempt-started" || one.kind === "attempt-ended").map((one) => [one.attempt.battle, one.kind]));
      for (const battle of state.running.keys()) assert.equal(last.get(battle), "attempt-started");
      assert.ok(renderLive(state, { columns, rows, now: 2000 }).length <= rows - 1);
    }),
  );
});

test("several subjects are named, and what has ended is being judged", () => {
  const other = { ...attemptOf("a"), subject: "qwen", battle: "qwen/a/1" };
  const lines = view([begin, [1000, started("a")], [1000, { kind: "attempt-started", attempt: other, resumed: false }], [1000, phase("a", "ended")]]);
  assert.ok(lines.some((line) => /^  llama · a +judging 0:00/.test(line)));
  assert.ok(lines.some((line) => /^  qwen · a +queued 0:00/.test(line)));
});

test("an ETA says nothing of what is under way alone, never less than a second, and not before the next retry", () => {
  const target = 4;
  const begun: readonly [number, Progress] = [1000, { kind: "started", campaign: "nightly", resumed: false, done: 0, target }];
  const two = [begun, [1000, judged("a", true)], [1000, judged("b", true)]] as const;
  const etaOf = (steps: readonly (readonly [number, Progress])[], now: number): string | undefined => /ETA [\d:]+/.exec(view(steps, { now }).join("\n"))?.[0];
  assert.equal(etaOf([...two, [1000, started("c")]], 3000), "ETA 0:02");
  assert.equal(etaOf([...two, [1000, started("c")], [1000, started("d")]], 3000), undefined, "only what is slow is left");
  assert.equal(etaOf([...two, [1000, started("c")]], 1500), undefined, "0:00 tells nothing");
  const retry: Progress = { kind: "retry", battle: joinKey("llama", "d", "1"), inMs: 90_000, why: "rate-limit: later" };
  assert.equal(etaOf([...two, [1000, started("c")], [1000, retry]], 1000), "ETA 1:30");
});

test("what is fought again does not count twice, and totals are times as they were measured", () => {
  const requeued: Progress = { kind: "requeued", battle: joinKey("llama", "a", "1"), wasJudged: true };
  const again = view([
    [1000, { kind: "started", campaign: "nightly", resumed: true, done: 2, target: 2 }],
    [1000, requeued],
    [2000, judged("a", true)],
  ]);
  assert.match(again.join("\n"), /2\/2 judged/);
  assert.match(again.join("\n"), /1 of 1 passed/);
  const lines = view([begin, [2000, judged("a", true, { ttftMs: 1000, gapP50Ms: 1000, gapP95Ms: 1001 })]]).join("\n");
  assert.match(lines, /TTFT p50 1\.0 s p95 1\.0 s/);
  assert.match(lines, /gap p50 1\.0 s p95 1\.0 s/);
  const many = view([begin, ...[410, 411, 412].map((ttftMs, index): [number, Progress] => [2000, judged(`${index}`, true, { ttftMs })])]).join("\n");
  assert.match(many, /TTFT p50 41\d ms p95 41\d ms/, "within the shortest and the longest");
});
