import type { VNode } from "preact";
import type { BattleRow, CampaignOverview } from "../../../../src/lib/model/api.ts";
import type { Phase } from "../../../../src/lib/liveness/liveness.ts";
import { PhasePill } from "../../ui/phase.tsx";

/** Addresses of campaigns. */
export const campaignPaths = {
  board: (name: string): string => `/campaigns/${encodeURIComponent(name)}`,
  battle: (name: string, { battle, attempt }: Pick<BattleRow, "battle" | "attempt">): string =>
    `/campaigns/${encodeURIComponent(name)}/battles/${encodeURIComponent(battle)}/${attempt}`,
  against: (name: string, base: string): string => `/campaigns/${encodeURIComponent(name)}/against/${encodeURIComponent(base)}`,
};

const STATES: Readonly<Record<CampaignOverview["state"], readonly [word: string, color: string]>> = {
  new: ["never run", "queued"],
  running: ["running", "generating"],
  paused: ["paused", "waiting-input"],
  stopped: ["stopped; nobody runs it", "slow"],
  done: ["done", "ended"],
  canceled: ["canceled", "ended"],
  exhausted: ["ended below its target", "stalled"],
};

/** How a campaign stands. */
export function StatePill({ state }: { readonly state: CampaignOverview["state"] }): VNode {
  const [word, color] = STATES[state];
  return (
    <span class="pill">
      <span class="dot" style={{ "--dot": `var(--phase-${color})` }} />
      {word}
    </span>
  );
}

const ENDS: Readonly<Record<string, string>> = {
  passed: "--good",
  "not passed": "--bad",
  failed: "--warn",
  unknown: "--warn",
  canceled: "--phase-ended",
  "waiting to retry": "--phase-retry-wait",
};

/** Where a battle is, or how it ended. */
export function BattlePill({ phase, running }: Pick<BattleRow, "phase" | "running">): VNode {
  if (running) return <PhasePill phase={phase as Phase} />;
  return (
    <span class="pill">
      <span class="dot" style={{ "--dot": `var(${ENDS[phase] ?? "--phase-ended"})` }} />
      {phase}
    </span>
  );
}

/** How far a campaign is: passed, not passed, and what is left of the target. */
export function Progress({ of }: { readonly of: CampaignOverview }): VNode {
  const { target = 0, judged, passed, failed } = of;
  const share = (count: number): string => `${target === 0 ? 0 : Math.min(100, (100 * count) / target)}%`;
  const words = `${judged} of ${target} judged, ${passed} passed${failed > 0 ? `, ${failed} without a verdict` : ""}`;
  return (
    <div class="stack progress-of">
      <div class="bar" role="img" aria-label={words}>
        <span class="bar-good" style={{ width: share(passed) }} />
        <span class="bar-bad" style={{ width: share(judged - passed) }} />
      </div>
      <span class="small muted num">{words}</span>
    </div>
  );
}

/** A duration in few words. */
export function spanWords(ms: number): string {
  if (ms < 1000) return `${Math.round(ms)} ms`;
  const seconds = ms / 1000;
  if (seconds < 10) return `${seconds.toFixed(1)} s`;
  if (seconds < 120) return `${Math.round(seconds)} s`;
  return seconds < 7200 ? `${Math.round(seconds / 60)} min` : `${Math.round(seconds / 3600)} h`;
}
