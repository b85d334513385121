import { type Liveness, type LivenessEvent, type LivenessSignal, type Phase, phaseOf } from "../../../src/lib/liveness/liveness.ts";
import { readSignals } from "../../../src/lib/liveness/read-signals.ts";
import { step } from "../../../src/lib/liveness/step.ts";
import type { Thresholds } from "../../../src/lib/liveness/thresholds.ts";
import type { StreamResponse } from "../../../src/lib/model/a2a.ts";
import { type ExtensionData, readExtension } from "../../../src/lib/model/extension.ts";

// Whoever owns a turn judges it by thresholds of its own, which a reader does not know: what it tells of silence counts beside what the reader finds.

/** What the owner of a turn says of its silence. */
export type Verdict = "slow" | "stalled";

/** A stream's liveness as the reader finds it, and the owner's word that stands. */
export interface Heard {
  readonly liveness: Liveness;
  readonly verdict: Verdict | undefined;
}

/** The owner's word after an entry that has `data`: a liveness entry of the turn itself says it or takes it back, any other leaves it. */
export function verdictAfter(verdict: Verdict | undefined, data: ExtensionData | undefined): Verdict | undefined {
  if (data?.kind !== "liveness" || hasPath(data)) return verdict;
  return data.phase === "slow" || data.phase === "stalled" ? data.phase : undefined;
}

/** A child's, or another's within the turn. */
function hasPath(data: ExtensionData): boolean {
  return "path" in data && Array.isArray(data.path) && data.path.length > 0;
}

/** Whether the owner's word is over: content came, or another phase. `events` is what `signal` led to. */
export function endsVerdict(signal: LivenessSignal, events: readonly LivenessEvent[]): boolean {
  return signal.kind === "content" || events.some(({ kind }) => kind === "phase");
}

/** What to show: the owner's word, unless the reader finds worse, we hold the stream up, or it is over. */
export function phaseHeard({ liveness, verdict }: Heard): Phase {
  const own = phaseOf(liveness);
  return verdict === undefined || own === "ended" || own === "throttled" || own === "stalled" ? own : verdict;
}

/** What is known after an entry of a stream, which came at `at`. */
export function hear(before: Heard, { seq, event }: { readonly seq: number; readonly event: StreamResponse }, at: number, thresholds: Thresholds): Heard {
  let { liveness, verdict } = before;
  for (const signal of readSignals(event)) {
    const taken = step(liveness, { kind: "signal", at, signal, seq }, thresholds);
    liveness = taken.state;
    if (endsVerdict(signal, taken.events)) verdict = undefined;
  }
  return { liveness, verdict: verdictAfter(verdict, readExtension(event)) };
}
