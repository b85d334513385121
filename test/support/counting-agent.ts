import type { Agent } from "../../src/lib/engine/agent.ts";
import { agentOf } from "./serving.ts";

/** An agent that is asked "<first> <then>": it says so many numbers as tokens, and after `goOn` from 0 so many again. */
export function countingAgent(): { readonly agent: Agent; goOn(): void } {
  const gate = Promise.withResolvers<void>();
  const agent = agentOf(async function* ({ input }) {
    const [first = 0, then = 0] = (input[0]?.parts[0]?.text ?? "").split(" ").map(Number);
    for (let n = 0; n < first; n += 1) yield { kind: "text", text: `${n} ` };
    if (then > 0) await gate.promise;
    for (let n = 0; n < then; n += 1) yield { kind: "text", text: `${n} ` };
  });
  return { agent, goOn: () => gate.resolve() };
}
