import assert from "node:assert/strict";
import test from "node:test";
import type { StreamResponse } from "../../../model/a2a.ts";
import { toMetadata } from "../../../model/extension.ts";
import type { LedgerEvent } from "../../ledger.ts";
import { BINS, readCurve, toBand } from "./curves.ts";

const ids = { taskId: "t", contextId: "c" };
const chunk = (text: string): StreamResponse => ({ artifactUpdate: { ...ids, artifact: { artifactId: "a", parts: [{ text }] }, append: true } });

async function curve(events: readonly (readonly [at: number, event: StreamResponse])[], { tokens = 60, durationMs = 60_000 } = {}) {
  async function* list(): AsyncGenerator<LedgerEvent> {
    for (const [index, [at, event]] of events.entries()) yield { seq: index + 1, at: 5000 + at, event };
  }
  const measured = { events: 0, contents: 0, tokens, workedMs: 0, durationMs };
  return readCurve(list(), { startedAt: 5000, measured });
}

test("a steady stream is a level line, however far apart its tokens are", async () => {
  const steady = await curve(Array.from({ length: 20 }, (_, index) => [(index + 1) * 3000, chunk("word")] as const));
  assert.ok(steady !== undefined);
  for (const rate of steady.rates) assert.ok(Math.abs(rate - 1) < 1e-9, String(rate));
  assert.deepEqual(new Set(steady.gaps), new Set([3000]));
});

test("silence is a low line, and all tokens are in the curve", async () => {
  const talk = Array.from({ length: 30 }, (_, index) => [(index + 1) * 500, chunk("word")] as const);
  const found = await curve([...talk, [45_000, chunk("word")], ...Array.from({ length: 29 }, (_, index) => [45_500 + index * 500, chunk("word")] as const)]);
  assert.ok(found !== undefined);
  const { rates } = found;
  assert.ok((rates[20] ?? 1) < 0.1 && (rates[5] ?? 0) > 1.5 && (rates[50] ?? 0) > 1.5);
  assert.ok(Math.abs(rates.reduce((sum, rate) => sum + rate, 0) * (found.durationMs / BINS / 1000) - 60) < 1e-6);
});

test("an answer that comes at once is a spike where it came", async () => {
  const found = await curve([[36_000, chunk("the whole answer")]]);
  assert.ok(found !== undefined);
  assert.deepEqual(
    found.rates.flatMap((rate, bin) => (rate > 0 ? [bin] : [])),
    [36],
  );
});

test("content counts wherever agents put it; our own notes and empty events do not", async () => {
  const status = (state: "TASK_STATE_WORKING", text: string): StreamResponse => ({
    statusUpdate: { ...ids, status: { state, message: { messageId: "m", role: "ROLE_AGENT", parts: [{ text }] } } },
  });
  const note = (kind: "reasoning" | "usage"): StreamResponse => ({
    statusUpdate: {
      ...ids,
      status: { state: "TASK_STATE_WORKING" },
      metadata: toMetadata(kind === "usage" ? { kind, usage: {} } : { kind, size: 4 }),
    },
  });
  const found = await curve([
    [1000, status("TASK_STATE_WORKING", "four")],
    [2000, note("reasoning")],
    [2500, note("usage")],
    [2600, chunk("")],
    [3000, chunk("four")],
  ]);
  assert.deepEqual(found?.gaps, [1000, 1000]);
  assert.equal(await curve([[2500, note("usage")]]), undefined);
});

test("a band says what most streams do while they run", async () => {
  const curves = await Promise.all(
    [1, 2, 3].map(async (speed) => {
      const found = await curve(
        Array.from({ length: 60 }, (_, index) => [(index + 1) * 1000, chunk("word")] as const),
        { tokens: 60 * speed },
      );
      return found ?? assert.fail();
    }),
  );
  const band = toBand(curves);
  assert.deepEqual(
    [band?.low[30], band?.middle[30], band?.high[30]].map((rate) => Math.round(rate ?? 0)),
    [1, 2, 3],
  );
  assert.equal(toBand([]), undefined);
});
