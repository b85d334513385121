import assert from "node:assert/strict";
import { it } from "node:test";
import { createManualTicker } from "../../../test/support/manual-ticker.ts";
import { createTicker } from "./ticker.ts";

it("ticks each member once a period, spread over it, and stops with the last", () => {
  const ticker = createManualTicker();
  const ticks = Array.from({ length: 10 }, () => 0);
  const leave = ticks.map((_, n) => ticker.add(() => (ticks[n] = (ticks[n] ?? 0) + 1)));
  ticker.advance(500);
  assert.deepEqual(
    ticks,
    ticks.map(() => 10),
  );
  for (const one of leave) one();
  for (const one of leave) one();
  assert.equal(ticker.size, 0);
  ticker.advance(500);
  assert.equal(ticks[0], 10);
});

it("tells each member how long the loop was blocked, once", () => {
  const ticker = createManualTicker();
  const lags = [0, 0];
  for (const n of lags.keys()) ticker.add((_at, lag) => (lags[n] = (lags[n] ?? 0) + lag));
  ticker.advance(100);
  assert.deepEqual(lags, [0, 0]);
  ticker.block(5010);
  assert.deepEqual(lags, [5000, 5000]);
  const late = { lag: 0 };
  ticker.add((_at, lag) => (late.lag += lag));
  ticker.advance(200);
  assert.deepEqual([...lags, late.lag], [5000, 5000, 0], "a new member is not told of what was before it");
});

it("has a timer of Node's by default", async () => {
  using ticker = createTicker({ tickMs: 5 });
  const at = await new Promise<number>((resolve) => {
    const leave = ticker.add((now) => {
      leave();
      resolve(now);
    });
  });
  assert.ok(at <= ticker.now());
});
