import type { ScoredBattle, Verdict } from "infinite-agent-streams";

/** A scorer of one's own: right, and in at most 20 words. */
export function brief({ item, answer }: ScoredBattle): Verdict {
  const words = answer.trim().split(/\s+/).length;
  const isRight = typeof item.expected === "string" && answer.includes(item.expected);
  return { pass: isRight && words <= 20, score: isRight ? Math.min(1, 20 / words) : 0, reason: `${words} words`, detail: { words } };
}
