import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { attemptOf, campaignOf } from "../../../test/support/campaigns.ts";
import { createDurations } from "./adaptive-timeout.ts";
import { narrow, startAllowance, widen } from "./allowance.ts";
import type { Attempt, Failure, Outcome } from "./attempt.ts";
import type { Campaign } from "./campaign.ts";
import { createOrder } from "./order.ts";
import { createSchedule, type Schedule, type Start } from "./schedule.ts";

const JUDGED: Outcome = { kind: "judged", verdict: { pass: false, score: 0 }, answer: "" };
const failed = (of: Failure["class"], more: Partial<Failure> = {}): Outcome => ({ kind: "failed", failure: { class: of, code: "X", message: "x", ...more } });
const ended = ({ battle, subject, item, repeat, attempt }: Start, outcome: Outcome): Attempt =>
  attemptOf({ battle, subject, item, repeat, attempt, outcome, endedAt: 1 });

function planOf(change: Partial<Campaign> = {}): Campaign {
  const items = ["a", "b", "c"].map((id) => ({ id, prompt: id }));
  return campaignOf({ items, retries: { ...campaignOf().retries, baseMs: 1000, maxMs: 8000 }, ...change });
}

/** All that may start now. */
function startAll(schedule: Schedule, now: number): Start[] {
  const all: Start[] = [];
  for (let next = schedule.next(now); next.kind === "start"; next = schedule.next(now)) all.push(next);
  return all;
}

describe("a schedule", () => {
  it("starts so many at once as the campaign and each subject take, the subjects alike", () => {
    const subjects = ["x", "y"].map((id) => ({ id, url: "http://127.0.0.1:9/", concurrency: 2, headersFromEnv: {} }));
    const schedule = createSchedule(planOf({ subjects, concurrency: 3 }), () => 0);
    assert.deepEqual(
      startAll(schedule, 0).map(({ battle }) => battle),
      ["x/a/1", "y/a/1", "x/b/1"],
    );
  });

  it("tries again by class, after a jittered, growing wait, and never what would fail again", () => {
    const schedule = createSchedule(planOf({ items: [{ id: "a", prompt: "" }] }), () => 1);
    let now = 0;
    for (const wait of [1000, 2000, 4000]) {
      const [start] = startAll(schedule, now);
      assert.ok(start);
      const ending = schedule.ended(ended(start, failed("server-error")), now);
      assert.deepEqual([ending.kind, ending.kind === "retry" && ending.inMs], ["retry", wait]);
      assert.deepEqual(schedule.next(now + wait - 1), { kind: "wait", until: now + wait });
      now += wait;
    }
    const [last] = startAll(schedule, now);
    assert.ok(last);
    assert.equal(last.attempt, 4);
    assert.equal(schedule.ended(ended(last, failed("server-error")), now).kind, "given-up");
    assert.deepEqual([schedule.isOver, schedule.lost], [true, 1]);

    const never = createSchedule(planOf(), () => 0);
    const [start] = startAll(never, 0);
    assert.ok(start);
    assert.equal(never.ended(ended(start, failed("deterministic")), 0).kind, "given-up");
  });

  it("honours Retry-After for the whole subject, and halves what it takes once", () => {
    const schedule = createSchedule(planOf({ items: Array.from({ length: 20 }, (_, index) => ({ id: `${index}`, prompt: "" })) }), () => 0);
    const started = startAll(schedule, 100);
    assert.equal(started.length, 4);
    for (const start of started) schedule.ended(ended(start, failed("rate-limit", { retryAfterMs: 30_000 })), 200);
    assert.equal(schedule.allowed("purple"), 2);
    assert.deepEqual(schedule.next(200), { kind: "wait", until: 30_200 });
    assert.equal(startAll(schedule, 30_200).length, 2);
  });

  it("waits for a Retry-After of a day no longer than it may, and says what was asked", () => {
    const retries = { ...campaignOf().retries, baseMs: 1000, maxRetryAfterMs: 60_000 };
    const schedule = createSchedule(planOf({ retries, concurrency: 1 }), () => 0);
    const [start] = startAll(schedule, 100);
    assert.ok(start);
    const ending = schedule.ended(ended(start, failed("rate-limit", { retryAfterMs: 86_400_000 })), 200);
    assert.deepEqual(ending, { kind: "retry", inMs: 60_000, askedMs: 86_400_000, why: "rate-limit: x" });
    assert.deepEqual(schedule.next(200), { kind: "wait", until: 60_200 }, "the others of the subject wait no longer either");
    const [again] = startAll(schedule, 60_200);
    assert.ok(again);
    assert.equal("askedMs" in schedule.ended(ended(again, failed("rate-limit", { retryAfterMs: 60_000 })), 60_300), false);
  });

  it("counts a battle as judged that was, though fewer retries are allowed now than it took", () => {
    const retries = { ...campaignOf().retries, maxAttempts: 1 };
    const schedule = createSchedule(planOf({ retries }), () => 0);
    const place = schedule.find("purple/a/1");
    assert.ok(place);
    const outcomes = [failed("stall"), failed("stall"), JUDGED];
    const attempts = outcomes.map((outcome, index) => attemptOf({ battle: place.battle, item: "a", attempt: index + 1, outcome, endedAt: 1 }));
    schedule.restore(place, attempts);
    assert.deepEqual([schedule.judged, schedule.lost], [1, 0]);
  });

  it("with a target starts no more than may be needed, takes items again, and ends when it cannot be reached", () => {
    const schedule = createSchedule(planOf({ target: 2 }), () => 0);
    const [first, second, third] = startAll(schedule, 0);
    assert.ok(first && second && third === undefined);
    schedule.ended(ended(first, failed("deterministic")), 0);
    const [again] = startAll(schedule, 0);
    assert.ok(again, "another takes its place");
    schedule.ended(ended(second, JUDGED), 0);
    schedule.ended(ended(again, JUDGED), 0);
    assert.deepEqual([schedule.isOver, schedule.judged], [true, 2]);

    const hopeless = createSchedule(planOf({ target: 100 }), () => 0);
    let count = 0;
    for (let starts = startAll(hopeless, 0); starts.length > 0; starts = startAll(hopeless, 0)) {
      count += starts.length;
      for (const start of starts) hopeless.ended(ended(start, failed("deterministic")), 0);
    }
    assert.deepEqual([hopeless.isOver, hopeless.judged], [true, 0]);
    assert.ok(count <= 6, `${count}`);
  });

  it("goes on from a ledger: what counted counts, what failed stays failed, what is unknown is tried again and costs nothing", () => {
    const schedule = createSchedule(planOf({ repeat: 2 }), () => 0);
    const restore = (item: string, repeat: number, ...outcomes: (Outcome | undefined)[]): Attempt | undefined => {
      const battle = `purple/${item}/${repeat}`;
      const place = schedule.find(battle);
      assert.ok(place);
      return schedule.restore(
        place,
        outcomes.map((outcome, index) => attemptOf({ battle, item, repeat, attempt: index + 1, ...(outcome && { outcome, endedAt: 1 }) })),
      );
    };
    const unknown: Outcome = { kind: "unknown", why: "" };
    assert.equal(restore("a", 1, failed("stall"), JUDGED), undefined);
    assert.equal(restore("b", 1, failed("deterministic")), undefined);
    assert.equal(restore("c", 1, unknown, unknown, unknown, unknown, unknown, unknown), undefined);
    assert.equal(restore("b", 2, undefined)?.battle, "purple/b/2", "is under way");
    const started = startAll(schedule, 0).map(({ battle, attempt }) => `${battle} ${attempt}`);
    assert.deepEqual(started, ["purple/c/1 7", "purple/a/2 1", "purple/c/2 1"]);
    assert.equal(schedule.judged, 1);
  });

  it("with a seed has an order of its own, the same each time", () => {
    const items = Array.from({ length: 50 }, (_, index) => ({ id: `${index}`, prompt: "" }));
    const orderOf = (seed?: number): string => {
      const order = createOrder(campaignOf({ items, ...(seed !== undefined && { seed }) }));
      return items.map(() => order.take("purple")?.item).join();
    };
    assert.equal(orderOf(7), orderOf(7));
    assert.notEqual(orderOf(7), orderOf(8));
    assert.equal(orderOf(), items.map(({ id }) => id).join());
  });
});

describe("an allowance", () => {
  it("grows by one for as many successes as it allows, and never above its most", () => {
    let allowance = narrow(startAllowance(8), 1, 10);
    assert.equal(allowance.allowed, 4);
    for (let count = 0; count < 5; count += 1) allowance = widen(allowance, 8);
    assert.equal(Math.floor(allowance.allowed), 5);
    for (let count = 0; count < 1000; count += 1) allowance = widen(allowance, 8);
    assert.equal(allowance.allowed, 8);
    for (let count = 0; count < 100; count += 1) allowance = narrow(allowance, 100 + count, 100 + count);
    assert.equal(allowance.allowed, 1, "one always may");
  });
});

describe("an adaptive time-out", () => {
  it("follows past durations of its item, backs off, and stays within its bounds", () => {
    const durations = createDurations({ initialMs: 100, minMs: 50, maxMs: 1000, factor: 3, backoff: 2 });
    assert.equal(durations.timeout("a", 0).ms, 100);
    assert.equal(durations.timeout("a", 1).ms, 200);
    for (const ms of [100, 110, 90]) durations.add("a", ms);
    assert.equal(durations.timeout("a", 0).ms, 330);
    assert.equal(durations.timeout("a", 5).ms, 1000);
    durations.add("b", 1);
    assert.equal(durations.timeout("b", 0).ms, 50);
  });
});
