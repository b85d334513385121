import type { AgentEvent } from "../../src/lib/engine/engine.ts";

/** A model and a client in lock step (SEMANTICS 32): token n + 1 is made only after the client has seen token n, so whoever collects on the way deadlocks. */
export interface LockStep {
  readonly tokens: readonly string[];
  /** The turn that makes the tokens. */
  run(): AsyncGenerator<AgentEvent>;
  /** The client has seen one more. */
  see(): void;
}

/** A lock step over `count` tokens. */
export function lockStep(count: number): LockStep {
  const tokens = Array.from({ length: count }, (_, n) => `t${n} `);
  let seen = 0;
  let more = Promise.withResolvers<void>();
  return {
    tokens,
    async *run() {
      for (const [n, text] of tokens.entries()) {
        while (seen < n) {
          more = Promise.withResolvers();
          await more.promise;
        }
        yield { kind: "text", text };
      }
    },
    see() {
      seen += 1;
      more.resolve();
    },
  };
}
