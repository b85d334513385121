import assert from "node:assert/strict";
import test from "node:test";
import { campaignOf } from "../../../test/support/campaigns.ts";
import { DEFAULT_THRESHOLDS } from "../liveness/thresholds.ts";
import { tellDifferences } from "./differences.ts";

test("each difference is named by its place with both values, long ones cut, many counted", () => {
  const base = campaignOf();
  assert.equal(tellDifferences(base, base), "");
  assert.equal(tellDifferences(base, campaignOf({ concurrency: 8, seed: 7 })), "concurrency: 4 → 8; seed: none → 7");
  assert.equal(
    tellDifferences(base, campaignOf({ items: [{ id: "one", prompt: "x".repeat(100) }] })),
    `items[0].prompt: "Say something." → "${"x".repeat(38)}…`,
  );
  assert.equal(tellDifferences(base, campaignOf({ items: [...base.items, ...base.items] })), "items: 1 → 2 of them");
  assert.equal(
    tellDifferences(base, campaignOf({ thresholds: { ...DEFAULT_THRESHOLDS, gapMs: Number.POSITIVE_INFINITY } })),
    "thresholds.gapMs: 30000 → Infinity",
  );
  const many = campaignOf({ name: "a", target: 1, repeat: 2, concurrency: 9, liveness: "stream", seed: 1, metricsIntervalMs: 5, maxAnswerLength: 6 });
  assert.match(tellDifferences(base, many), /; and 2 more$/);
});
