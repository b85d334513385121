import assert from "node:assert/strict";
import { setTimeout as sleep } from "node:timers/promises";
import test from "node:test";
import type { IasError } from "../model/errors.ts";
import { watchEventLoop } from "./loop-watch.ts";

test("a blocked event loop is told with its length, and no agent is blamed for sure", { timeout: 30_000 }, async (t) => {
  const { promise, resolve } = Promise.withResolvers<IasError>();
  const watch = watchEventLoop(resolve, 200);
  t.after(() => watch[Symbol.dispose]());
  // The delay is measured from one timer to the next, so the loop must have turned before it is blocked.
  await sleep(100);
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 700);
  // The watch does not keep the process.
  const alive = setInterval(() => {}, 1000);
  const { code, reason, message } = await promise.finally(() => clearInterval(alive));
  assert.deepEqual([code, reason], ["timeout", "EVENT_LOOP_BLOCKED"]);
  assert.match(message, /blocked for (?:[6-9]\d\d|\d{4,}) ms/);
  assert.match(message, /If an agent computed .* isolated\(\)/);
});
