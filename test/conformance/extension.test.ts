import { after } from "node:test";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { scripted } from "../../src/lib/engine/scripted.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import { startServer } from "../../src/lib/main/server.ts";
import { runExtensionConformance } from "../../src/lib/testing/extension/run.ts";

const agent = defineAgent({
  id: "talker",
  engine: scripted(async function* (turn) {
    const said = turn.input[0]?.parts[0]?.text ?? "";
    if (said === "ask" && turn.state === undefined) {
      yield { kind: "interrupt", reason: "input", message: [{ text: "What?" }], state: { version: "t/1", data: "asked" } };
      return;
    }
    for (const word of ["one ", "two ", "three ", "four "]) {
      yield { kind: "text", text: word };
      yield { kind: "usage", usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2 } };
      await new Promise(setImmediate);
    }
  }),
});
const server = await startServer({ agents: [agent], store: createMemoryStore(), port: 0, grpcPort: false, limits: { heartbeatMs: 200 } });
after(() => server[Symbol.asyncDispose]());

await runExtensionConformance({ cardUrl: `${server.url}/.well-known/agent-card.json`, talk: "talk", ask: "ask" });
