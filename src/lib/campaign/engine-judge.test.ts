import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type EngineFault, type EngineLimits, judgeEngine, type Others, silenceEvidence, startJudgement } from "./engine-judge.ts";
import { type EngineSample, hasMoved, parseEngineMetrics } from "./engine-metrics.ts";

const LIMITS: EngineLimits = { toolMs: 60_000, intervalMs: 1000, firstContentMs: 30_000, ask: { threshold: "connectMs", limitMs: 10_000 } };

interface Given extends Partial<EngineSample> {
  readonly at: number;
  readonly ended?: number;
  readonly unread?: true;
}

/** The first fault over readings, and when it was found. */
function judgeAll(readings: readonly Given[]): { readonly at: number; readonly fault: EngineFault } | undefined {
  let state = startJudgement(0);
  for (const { at, ended = 0, unread, ...rest } of readings) {
    const sample = unread === true ? undefined : { running: 1, waiting: 0, generated: 0, finished: 0, activity: 0, ...rest };
    const judged = judgeEngine(state, { at, sample, heard: 0, ended, users: 1 }, LIMITS);
    state = judged.state;
    if (judged.fault !== undefined) return { at, fault: judged.fault };
  }
  return undefined;
}

const every = (seconds: number, count: number, of: (index: number) => Partial<Given>): Given[] =>
  Array.from({ length: count }, (_, index) => ({ at: index * seconds * 1000, ...of(index) }));

describe("a request judged by its engine's counters", () => {
  it("is alive for hours while anything moves, however slowly", () => {
    assert.equal(judgeAll(every(20, 500, (index) => ({ generated: index }))), undefined);
    assert.equal(judgeAll(every(20, 500, (index) => ({ activity: index / 1000 }))), undefined);
  });

  it("is lost when nothing runs and nothing waits in two readings after it ran", () => {
    const found = judgeAll([{ at: 0 }, { at: 1000, generated: 5 }, { at: 2000, running: 0, generated: 5 }, { at: 3000, running: 0, generated: 5 }]);
    assert.deepEqual([found?.at, found?.fault.evidence.kind], [3000, "request-lost"]);
  });

  it("may be answered already where the engine finished a request of which no battle of ours tells: then a tool may run", () => {
    const idle = every(1, 90, (index) => (index === 0 ? {} : { running: 0, finished: 1 }));
    assert.equal(judgeAll(idle)?.at, 61_000);
    assert.equal(judgeAll(idle.map((one) => ({ ...one, ended: one.at === 0 ? 0 : 1 })))?.at, 2000, "that was another battle's");
  });

  it("may not have been asked yet: that has a limit of its own", () => {
    const found = judgeAll(every(1, 30, () => ({ running: 0 })));
    assert.deepEqual([found?.at, found?.fault.threshold, found?.fault.evidence.kind], [10_000, "connectMs", "request-lost"]);
  });

  it("tells an overloaded engine from one that is stuck, and from counters that cannot be read", () => {
    const kinds = [every(1, 60, () => ({ waiting: 3 })), every(1, 60, () => ({})), every(1, 60, () => ({ unread: true }))].map((readings) =>
      judgeAll(readings),
    );
    assert.deepEqual(
      kinds.map((found) => [found?.at, found?.fault.evidence.kind]),
      [
        [31_000, "overload"],
        [31_000, "engine-stuck"],
        [31_000, "unknown"],
      ],
    );
  });
});

describe("whose fault a stream's silence is", () => {
  const before = { running: 2, waiting: 0, generated: 100, activity: 0 };
  const none = { tokens: 0, active: 0, alive: 0, ended: 0 };
  const kinds = (after: Partial<EngineSample>, others: Partial<Others> = {}, previous = after): string =>
    silenceEvidence({ before, previous: { ...before, ...previous }, last: { ...before, ...after } }, { ...none, ...others }).kind;

  it("is told by what our other battles do not account for", () => {
    assert.equal(kinds({ generated: 200 }, none), "engine-moves");
    assert.equal(kinds({ generated: 200 }, { tokens: 98, active: 1, alive: 1 }), "engine-stuck", "the other battle got them");
    assert.equal(kinds({ generated: 200, running: 1 }, { tokens: 100, active: 1, alive: 1 }), "request-lost", "only the other battle runs");
    assert.equal(kinds({ generated: 200, running: 1 }, { tokens: 100, active: 1, alive: 1 }, { running: 2 }), "unknown", "the other may have just ended");
    assert.equal(kinds({ generated: 200 }, { tokens: 86, ended: 1 }), "unknown", "a battle that was cut off may have left them");
    assert.equal(kinds({ generated: 200 }, { tokens: 50, ended: 1 }), "engine-moves", "not so many");
    assert.equal(kinds({ generated: 200 }, { active: 1, alive: 1 }, {}), "engine-stuck", "what was just made is on its way");
    assert.equal(kinds({ running: 1 }, { active: 1 }), "unknown", "two are silent and one of them runs");
    assert.equal(kinds({ waiting: 1 }, none), "overload");
    assert.equal(kinds({ running: 0 }, none), "request-lost");
    assert.equal(silenceEvidence({ before: undefined, previous: before, last: before }, none).kind, "unknown");
  });

  it("takes counters that went back for those of an engine that started again", () => {
    assert.equal(silenceEvidence({ before, previous: before, last: { ...before, generated: 40 } }, none).generated, 40);
  });
});

describe("/metrics", () => {
  it("are read in vLLM's names, summed over engines, whatever stands in labels", () => {
    const sample = parseEngineMetrics(`# HELP x
vllm:num_requests_running{engine="0",model_name="a} 9\\"b"} 2.0
vllm:num_requests_running{engine="1",model_name="a"} 1.0
vllm:num_requests_waiting{engine="0"} 4
vllm:num_requests_waiting_by_reason{reason="capacity"} 9
vllm:generation_tokens_total{engine="0"} 1.5e3 1700000000
vllm:request_success_total{finished_reason="stop"} 3
vllm:request_success_total{finished_reason="abort"} 1
vllm:kv_cache_usage_perc NaN`);
    assert.deepEqual(sample, { running: 3, waiting: 4, generated: 1500, finished: 4, activity: 0 });
  });

  it("are read in llama.cpp's names, in which decoding moves before tokens count", () => {
    const text = (decoded: number): string => `llamacpp:requests_processing 1\nllamacpp:tokens_predicted_total 0\nllamacpp:n_decode_total ${decoded}\r\n`;
    const [before, after] = [parseEngineMetrics(text(1)), parseEngineMetrics(text(2))];
    assert.ok(before && after && hasMoved(before, after) && !hasMoved(before, before));
  });

  it("of something else are nothing to judge by", () => {
    assert.equal(parseEngineMetrics("process_cpu_seconds_total 1\n<html>"), undefined);
    assert.equal(parseEngineMetrics(""), undefined);
  });
});
