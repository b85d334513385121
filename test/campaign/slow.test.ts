import assert from "node:assert/strict";
import { test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { campaignOf } from "../support/campaigns.ts";
import { createManualClock } from "../support/manual-clock.ts";
import { run } from "../support/run-campaign.ts";
import { agentOf, serving } from "../support/serving.ts";

const BATTLES = 10;
const TOKENS = 20;
/** The defaults allow 300 s to the first content and 30 s between two. */
const PREFILL_MS = 290_000;
const GAP_MS = 29_000;

test("ten battles, each with a prefill of 290 s and a token every 29 s, are alive to the end", { timeout: 120_000 }, async (t) => {
  const clock = createManualClock();
  const never = new AbortController().signal;
  let made = 0;
  let received = 0;
  let started = 0;
  const agent = agentOf(async function* () {
    started += 1;
    await clock.sleep(PREFILL_MS, never);
    for (let count = 0; count < TOKENS; count += 1) {
      made += 1;
      yield { kind: "text", text: `${count} ` };
      await clock.sleep(GAP_MS, never);
    }
  });
  const server = await serving(t, [agent]);
  const campaign = campaignOf({
    items: Array.from({ length: BATTLES }, (_, index) => ({ id: `i${index}`, prompt: "Take your time." })),
    subjects: [{ id: "purple", url: `${server.url}/a2a/agent`, concurrency: BATTLES, headersFromEnv: {} }],
    green: { kind: "function", module: "x", name: "y" },
    concurrency: BATTLES,
  });
  let over = false;
  const running = run(campaign, {
    parts: { clock, monotonic: clock.now },
    onProgress: ({ kind }) => {
      if (kind === "tokens") received += 1;
    },
  }).finally(() => (over = true));
  // Time passes only while nothing is on its way.
  while (!over) {
    await wait(1);
    if (received === made && started === BATTLES) clock.advance(250);
  }
  const { summary, attempts } = await running;
  assert.deepEqual([summary.state, summary.judged, summary.attempts], ["done", BATTLES, BATTLES]);
  for (const { measured, episodes } of attempts) {
    assert.equal(measured.contents, TOKENS);
    assert.ok((measured.ttftMs ?? 0) >= PREFILL_MS, `${measured.ttftMs}`);
    assert.deepEqual([...new Set(episodes.map(({ kind }) => kind))], ["slow"], "slow is said, stalled is not");
  }
});
