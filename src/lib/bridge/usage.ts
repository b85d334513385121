import type { JsonObject } from "../model/a2a.ts";

/** Token counts of a turn, summed over its model calls. */
export interface UsageSum {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
  readonly cachedInputTokens: number;
  readonly reasoningTokens: number;
}

/** No tokens yet. */
export const NO_USAGE: UsageSum = { inputTokens: 0, outputTokens: 0, totalTokens: 0, cachedInputTokens: 0, reasoningTokens: 0 };

/** The sum with another model call, as its usage entry tells it. */
export function addUsage(sum: UsageSum, call: JsonObject): UsageSum {
  const count = (name: keyof UsageSum): number => sum[name] + (typeof call[name] === "number" ? call[name] : 0);
  return {
    inputTokens: count("inputTokens"),
    outputTokens: count("outputTokens"),
    totalTokens: count("totalTokens"),
    cachedInputTokens: count("cachedInputTokens"),
    reasoningTokens: count("reasoningTokens"),
  };
}
