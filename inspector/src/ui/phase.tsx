import type { VNode } from "preact";
import type { Phase } from "../../../src/lib/liveness/liveness.ts";
import { phaseWords } from "../state/words.ts";

/** What a stream does, in its colour and in words. */
export function PhasePill({ phase }: { readonly phase: Phase }): VNode {
  return (
    <span class="pill">
      <span class="dot" style={{ "--dot": `var(--phase-${phase})` }} />
      {phaseWords(phase)}
    </span>
  );
}
