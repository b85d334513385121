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
    return { drafts: [failedStatus(scribe, interrupted(tools))], over: true };
  }
  const before = (await loadView(parts.store.log, row.key, view.ledger.startedAt))?.view.fold.task()?.artifacts ?? [];
  const drafts = [scribe.aside("extension", { kind: "attempt", attempt: start.attempt, reason: "the server stopped in the middle of the turn" })];
  // Of a stream that rolls the entry where the turn began may be gone: what opened in this turn was not there before it, whatever a snapshot has of it.
  const opened = new Set(view.ledger.turns().at(-1)?.artifacts);
  for (const artifact of view.fold.task()?.artifacts ?? []) {
    const old = opened.has(artifact.artifactId) ? undefined : before.find((candidate) => candidate.artifactId === artifact.artifactId);
    if (JSON.stringify(old) !== JSON.stringify(artifact)) drafts.push(scribe.supersede(artifact.artifactId, old, start.attempt));
  }
  return { drafts: [...drafts, scribe.status("TASK_STATE_WORKING")], over: false };
}

/** What a turn ends with that is not run again. Whether a message whose tools may have acted is sent again is for whoever sent it to decide: it is not retryable. */
function interrupted(tools: readonly string[]): IasError {
  const began = "The server stopped in the middle of this turn,";
  const reason = "TURN_INTERRUPTED";
  if (tools.length === 0)
    return new IasError("engine-failed", `${began} and its agent is not restarted by itself. Send the message again to start over.`, {
      reason,
      retryable: true,
    });
  // Quoted, so that no name reads as words of this sentence.
  const names = tools.map((name) => JSON.stringify(name)).join(", ");
  const text = `${began} after it had started what must not run twice by itself: ${names}. Find out what that did, then send the message again if it is still wanted.`;
  return new IasError("engine-failed", text, { reason, retryable: false, details: { tools: tools.join(",") } });
}
