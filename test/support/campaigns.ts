import type { Attempt } from "../../src/lib/campaign/attempt.ts";
import type { Campaign } from "../../src/lib/campaign/campaign.ts";
import { DEFAULT_THRESHOLDS } from "../../src/lib/liveness/thresholds.ts";

/** A campaign of one item and one subject, in resolved form. */
export function campaignOf(change: Partial<Campaign> = {}): Campaign {
  return {
    name: "test",
    items: [{ id: "one", prompt: "Say something." }],
    subjects: [{ id: "purple", url: "http://127.0.0.1:9/", concurrency: 4, headersFromEnv: {} }],
    green: { kind: "contains", ignoreCase: false },
    repeat: 1,
    concurrency: 4,
    retries: {
      maxAttempts: 5,
      byClass: { transport: 4, stall: 2, "rate-limit": 10, "server-error": 3, "agent-failed": 1, "judge-failed": 2 },
      baseMs: 1,
      maxMs: 10,
      maxRetryAfterMs: 3_600_000,
    },
    liveness: "auto",
    thresholds: DEFAULT_THRESHOLDS,
    timeout: { initialMs: 120_000, minMs: 30_000, maxMs: 3_600_000, factor: 4, backoff: 2 },
    metricsIntervalMs: 1000,
    maxAnswerLength: 1_000_000,
    ...change,
  };
}

/** An attempt that has just begun. */
export function attemptOf(change: Partial<Attempt> = {}): Attempt {
  return {
    battle: "purple/one/1",
    subject: "purple",
    item: "one",
    repeat: 1,
    attempt: 1,
    messageId: "message",
    contextId: "context",
    startedAt: 0,
    measured: { events: 0, contents: 0, tokens: 0, workedMs: 0, durationMs: 0 },
    episodes: [],
    ...change,
  };
}
