import type { AgentEvent } from "../src/lib/engine/engine.ts";
import { defineAgent } from "../src/lib/engine/define-agent.ts";
import { createMemoryStore } from "../src/lib/log/memory.ts";
import type { Store } from "../src/lib/log/store.ts";
import { startServer } from "../src/lib/main/server.ts";
import { answerBench } from "./servers/control.ts";
import { chunks, readPlan } from "./servers/load.ts";

/**
 * Our server alone with the load agent: `npm run bench:agent`. `PORT` (4100), `LOG=memory|sqlite` (memory), `DURABILITY=process|host` (process) and
 * `DATA_DIR` (a new folder, removed at the end) for SQLite. JSON-RPC at /a2a/bench; prints `ready`.
 */
const agent = defineAgent({
  id: "bench",
  name: "bench",
  description: "The load agent",
  engine: {
    async *run(turn): AsyncGenerator<AgentEvent, void, undefined> {
      const text = turn.input.at(-1)?.parts.find((part) => part.text !== undefined)?.text ?? "";
      for await (const chunk of chunks(readPlan(text))) yield { kind: "text", artifact: "a1", text: chunk };
    },
  },
});

async function openStore(): Promise<Store> {
  const log = process.env["LOG"] ?? "memory";
  if (log === "memory") return createMemoryStore();
  throw new Error(`LOG is ${JSON.stringify(log)}; it can be memory or sqlite.`);
}

await startServer({
  agents: [agent],
  store: await openStore(),
  port: Number(process.env["PORT"] ?? 4100),
  // As many turns as the widest row has streams, and 10,000 readers from one address.
  limits: { maxParallelTurns: 1024, maxReaders: 20_000 },
});
answerBench();
console.log("ready");
