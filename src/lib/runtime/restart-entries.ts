import { IasError } from "../model/errors.ts";
import { loadView } from "../task/view.ts";
import { failedStatus } from "./failed-status.ts";
import type { Draft } from "./draft.ts";
import type { TurnRun } from "./turn-run.ts";

/** What a restart writes first: the end, if the crash policy says so; else the old attempt is closed and its artifacts are void (SEMANTICS 19). */
export async function restartEntries({
  parts,
  agent,
  row,
  view,
  scribe,
  start,
}: Omit<TurnRun, "writer">): Promise<{ drafts: readonly Draft[]; over: boolean }> {
  if (start.attempt > parts.limits.maxAttempts) {
    const error = new IasError("engine-failed", `The turn was cut off ${parts.limits.maxAttempts} times (maxAttempts) and is not tried again.`, {
      reason: "TOO_MANY_ATTEMPTS",
    });
    return { drafts: [failedStatus(scribe, error)], over: true };
  }
  const tools = view.ledger.unrepeatable();
  if (agent.onCrash === "fail" || (agent.onCrash === "safe" && tools.length > 0)) {
    const what = tools.length > 0 ? `after it had started ${tools.join(", ")}, which must not run twice by itself` : "and its agent is not restarted by itself";
    const error = new IasError("engine-failed", `The server stopped in the middle of this turn, ${what}. Send the message again to start over.`, {
      reason: "TURN_INTERRUPTED",
      retryable: true,
      ...(tools.length > 0 && { details: { tools: tools.join(",") } }),
    });
    return { drafts: [failedStatus(scribe, error)], over: true };
  }
  const before = (await loadView(parts.store.log, row.key, view.ledger.startedAt))?.view.fold.task()?.artifacts ?? [];
  const drafts = [scribe.aside("extension", { kind: "attempt", attempt: start.attempt, reason: "the server stopped in the middle of the turn" })];
  for (const artifact of view.fold.task()?.artifacts ?? []) {
    const old = before.find((candidate) => candidate.artifactId === artifact.artifactId);
    if (JSON.stringify(old) !== JSON.stringify(artifact)) drafts.push(scribe.supersede(artifact.artifactId, old, start.attempt));
  }
  return { drafts: [...drafts, scribe.status("TASK_STATE_WORKING")], over: false };
}
