import type { Outcome } from "../attempt.ts";
import type { Summary } from "../progress.ts";

/** Classes of failures that are the subject's own; of the others nobody knows what the subject would have done. */
const SUBJECTS_OWN: ReadonlySet<string> = new Set(["agent-failed", "deterministic", "stall"]);

/** Whether a battle that was given up with this outcome counts as not passed: else whoever fails on what is hard would seem to pass everything. */
export function isSubjectsFault(outcome: Outcome | undefined): boolean {
  return outcome?.kind === "failed" && SUBJECTS_OWN.has(outcome.failure.class);
}

/** What the pass rate is of: battles that were judged, and those that were given up by the subject's fault. */
export function rated({ judged, faults }: Pick<Summary, "judged" | "faults">): number {
  return judged + faults;
}

/** What of the pass rate was never judged, as a clause; empty where there is nothing to say. */
export function faultsText(faults: number): string {
  if (faults === 0) return "";
  return faults === 1
    ? "1 battle given up by the subject's fault counts as not passed"
    : `${faults} battles given up by the subject's fault count as not passed`;
}
