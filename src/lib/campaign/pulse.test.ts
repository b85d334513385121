import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEFAULT_THRESHOLDS, type Thresholds } from "../liveness/thresholds.ts";
import type { Failure } from "./attempt.ts";
import type { EngineSample } from "./engine-metrics.ts";
import type { EngineWatch, Reading } from "./engine-watch.ts";
import { createPulse, type PulseOptions } from "./pulse.ts";

const THRESHOLDS: Thresholds = { ...DEFAULT_THRESHOLDS, connectMs: 2000, firstContentMs: 5000 };
const SAMPLE: EngineSample = { running: 1, waiting: 0, generated: 7, finished: 0, activity: 3 };

/** A pulse whose clock and engine are the test's: time passes by `tick`, and counters are read when it says so. */
function start(options: Partial<PulseOptions> = {}) {
  let now = 0;
  const looks = new Set<(reading: Reading) => void>();
  const engine: EngineWatch = {
    probe: async () => true,
    use(look) {
      looks.add(look);
      return { hear: () => undefined, othersHeardSince: () => 0, [Symbol.dispose]: () => void looks.delete(look) };
    },
    before: () => undefined,
    latest: undefined,
    previous: undefined,
    heard: 0,
    users: 1,
  };
  const faults: Failure[] = [];
  const pulse = createPulse({
    mode: "metrics",
    trusted: false,
    thresholds: THRESHOLDS,
    engine,
    metricsIntervalMs: 1000,
    timeout: { ms: 3000, why: "timeout.initialMs: no duration of this item is known yet" },
    monotonic: () => now,
    onFault: (failure) => void faults.push(failure),
    onPhase: () => undefined,
    aside: () => undefined,
    ...options,
  });
  const read = (sample: Partial<EngineSample> = {}, users = 1): void => {
    for (const look of looks) look({ at: now, sample: { ...SAMPLE, ...sample }, heard: 0, ended: 0, users });
  };
  return {
    pulse,
    faults,
    looks,
    read,
    /** Ticks every 250 ms for so long, and reads once a second. */
    pass(ms: number, sample: Partial<EngineSample> = {}, users = 1): void {
      for (const until = now + ms; now < until;) {
        now += 250;
        if (now % 1000 === 0) read(sample, users);
        pulse.tick(now, 0);
      }
    },
    /** The loop is blocked: then what was on its way is read, and only then the clock's timer runs. */
    block(ms: number, sample: Partial<EngineSample> = {}): void {
      now += ms + 250;
      read(sample);
      pulse.tick(now, ms);
    },
  };
}

describe("an attempt judged by its engine's counters", () => {
  it("is not failed for a time in which this runner itself could read nothing, and is failed for as long after it", () => {
    const one = start();
    one.pass(3000);
    one.block(20_000);
    assert.equal(one.faults.length, 0);
    one.pass(1500);
    assert.equal(one.faults.length, 0);
    one.pass(3000);
    assert.deepEqual([one.faults[0]?.stall?.threshold, one.faults[0]?.evidence?.kind], ["firstContentMs", "engine-stuck"]);
  });

  it("is asked for as long as its subject may take, a block of this runner not counted", () => {
    const one = start();
    const idle = { running: 0, generated: 0, activity: 0 };
    one.pass(1500, idle);
    one.block(10_000, idle);
    assert.equal(one.faults.length, 0);
  });

  it("is called overloaded or stuck only where our other battles cannot be what waits and runs", () => {
    const evidenceOf = (sample: Partial<EngineSample>, users: number): string | undefined => {
      const one = start();
      one.pass(12_000, sample, users);
      return one.faults[0]?.evidence?.text;
    };
    assert.match(evidenceOf({ waiting: 1 }, 1) ?? "", /1 request waits: it is overloaded/);
    assert.match(
      evidenceOf({ waiting: 2 }, 3) ?? "",
      /^Nothing moves in the engine, which runs 1 and lets wait 2 of our 3 requests\. It is stuck or overloaded\.$/,
    );
    assert.match(evidenceOf({ waiting: 3 }, 3) ?? "", /3 requests wait: it is overloaded/);
    assert.match(evidenceOf({ waiting: 1, running: 0 }, 3) ?? "", /or has lost this one/);
    assert.match(evidenceOf({ running: 2 }, 2) ?? "", /2 requests run in the engine.*stuck/);
    assert.match(evidenceOf({}, 1) ?? "", /^1 request runs in the engine, but none of its counters moves: it is stuck\.$/);
  });

  it("is lost by two readings that do not know it, which are what is named", () => {
    const one = start();
    one.pass(1000, { generated: 8 });
    one.pass(3000, { running: 0, generated: 8 });
    const [failure] = one.faults;
    assert.deepEqual([failure?.evidence?.kind, failure?.stall?.threshold, failure?.stall?.limitMs], ["request-lost", "metricsIntervalMs", 1000]);
    assert.match(failure?.message ?? "", /\(metricsIntervalMs allows 1 s\)/);
  });

  it("lets go of its engine when its request is over, not when its answer is judged", () => {
    const one = start();
    assert.equal(one.looks.size, 1);
    one.pulse.tell({ kind: "ended" });
    assert.equal(one.looks.size, 0);
  });
});

describe("an attempt judged by its time-out", () => {
  it("names the time-out, and the member of the file that it is from", () => {
    const one = start({ mode: "timeout", engine: undefined });
    one.pass(4000);
    const [failure] = one.faults;
    assert.deepEqual([failure?.stall?.threshold, failure?.stall?.limitMs], ["timeout", 3000]);
    assert.match(
      failure?.message ?? "",
      /^InferenceStalled: no answer after 3\.3 s while prefill \(timeout allows 3 s\), after 0 tokens\..*\(timeout\.initialMs: no duration/,
    );
  });
});
