import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { defineAgent } from "../src/lib/engine/define-agent.ts";
import type { AgentEvent } from "../src/lib/engine/engine.ts";
import { createMemoryStore } from "../src/lib/log/memory.ts";
import { createSqliteStore } from "../src/lib/log/sqlite.ts";
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
  description: "The load agent",
  engine: {
    async *run(turn): AsyncGenerator<AgentEvent, void, undefined> {
      const text = turn.input.at(-1)?.parts.find((part) => part.text !== undefined)?.text ?? "";
      for await (const chunk of chunks(readPlan(text))) yield { kind: "text", artifact: "a1", text: chunk };
    },
  },
});

function openStore(): Store {
  const log = process.env["LOG"] ?? "memory";
  const durability = process.env["DURABILITY"] ?? "process";
  if (log === "memory") return createMemoryStore();
  if (log !== "sqlite") throw new Error(`LOG is ${JSON.stringify(log)}; it can be memory or sqlite.`);
  if (durability !== "process" && durability !== "host") throw new Error(`DURABILITY is ${JSON.stringify(durability)}; it can be process or host.`);
  return createSqliteStore({ folder: process.env["DATA_DIR"] ?? newFolder(), durability });
}

function newFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), "ias-bench-"));
  process.on("exit", () => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const store = openStore();
const server = await startServer({
  agents: [agent],
  store,
  port: Number(process.env["PORT"] ?? 4100),
  grpcPort: false,
  // As many turns as the widest row has streams; readers as many as there are, each with its own connection.
  limits: { maxParallelTurns: 1024, maxReaders: 20_000, maxApiRate: Number.POSITIVE_INFINITY, maxAddressRate: Number.POSITIVE_INFINITY },
});
answerBench();

const stop = async (): Promise<void> => {
  await server[Symbol.asyncDispose]();
  await store[Symbol.asyncDispose]();
  process.exit(0);
};
process.once("SIGINT", () => void stop()).once("SIGTERM", () => void stop());
console.log("ready");
