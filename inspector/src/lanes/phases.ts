import type { Phase } from "../../../src/lib/liveness/liveness.ts";
import { phaseWords } from "../state/words.ts";

/** What a lane shows at a moment: a phase of its stream, or nothing (before it began, after it ended, between two calls of a child). */
export type Shown = Phase | "none";

/**
 * Every phase that is drawn, with the CSS token of its colour, and how tall its band is (a share of the lane): what works stands tall, what waits lies low,
 * so that the phases differ without colour too. Their order is their code.
 */
export const PHASES: readonly { readonly phase: Shown; readonly token: string; readonly height: number }[] = [
  { phase: "none", token: "--phase-ended", height: 0 },
  { phase: "queued", token: "--phase-queued", height: 0.2 },
  { phase: "connecting", token: "--phase-connecting", height: 0.35 },
  { phase: "prefill", token: "--phase-prefill", height: 0.5 },
  { phase: "generating", token: "--phase-generating", height: 1 },
  { phase: "tool", token: "--phase-tool", height: 0.8 },
  { phase: "child-working", token: "--phase-child-working", height: 0.65 },
  { phase: "waiting-input", token: "--phase-waiting-input", height: 0.35 },
  { phase: "retry-wait", token: "--phase-retry-wait", height: 0.35 },
  { phase: "throttled", token: "--phase-throttled", height: 0.35 },
  { phase: "slow", token: "--phase-slow", height: 1 },
  { phase: "stalled", token: "--phase-stalled", height: 1 },
  { phase: "ended", token: "--phase-ended", height: 0 },
];

const CODES = new Map(PHASES.map(({ phase }, code) => [phase, code]));

/** The code of a phase: its place in `PHASES`. */
export function codeOf(phase: Shown): number {
  return CODES.get(phase) ?? 0;
}

/** The phase of a code. */
export function phaseOfCode(code: number): Shown {
  return PHASES[code]?.phase ?? "none";
}

/** How a phase is called: as everywhere on the page. */
export function labelOf(phase: Shown): string {
  return phase === "none" ? "nothing" : phaseWords(phase);
}
