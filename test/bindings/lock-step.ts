import type { AgentEvent } from "../../src/lib/engine/engine.ts";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { scripted } from "../../src/lib/engine/scripted.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import { type Server, startServer } from "../../src/lib/main/server.ts";

/** A server whose agent makes token n + 1 only after the client has seen token n: whoever collects tokens, anywhere on the way, deadlocks (SEMANTICS 32). */
export interface LockStep extends AsyncDisposable {
  readonly server: Server;
  /** The agent's URL. */
  readonly url: string;
  /** All tokens, in order. */
  readonly tokens: readonly string[];
  /** The client has seen a token; it must be the one that it was the turn of. */
  saw(token: string): void;
}

/** Starts it; one run at a time. */
export async function startLockStep(count: number): Promise<LockStep> {
  const tokens = Array.from({ length: count }, (_, at) => `token ${at} `);
  let seen = Promise.withResolvers<void>();
  let turn: string | undefined;
  async function* act(): AsyncIterable<AgentEvent> {
    for (const token of tokens) {
      turn = token;
      seen = Promise.withResolvers<void>();
      yield { kind: "text", text: token };
      await seen.promise;
    }
  }
  const agent = defineAgent({ id: "counter", engine: scripted(act) });
  const server = await startServer({ agents: [agent], store: createMemoryStore(), port: 0, grpcPort: 0 });
  return {
    server,
    url: `${server.url}/a2a/counter`,
    tokens,
    saw(token) {
      if (token !== turn) throw new Error(`The client saw ${JSON.stringify(token)}; it was the turn of ${JSON.stringify(turn)}.`);
      seen.resolve();
    },
    [Symbol.asyncDispose]: () => server[Symbol.asyncDispose](),
  };
}
