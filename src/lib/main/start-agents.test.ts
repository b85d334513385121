import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { freePort } from "../../../test/support/free-port.ts";
import type { AgentCommand } from "../campaign/read-scenario.ts";
import { startAgents } from "./start-agents.ts";

/** An agent that is nothing but its card; it says on stdout what it was started with. */
const AGENT = `
const { createServer } = require("node:http");
const [port, stubborn] = process.argv.slice(1);
if (stubborn === "broken") { console.log("no module named agent"); process.exit(3); }
if (stubborn === "stubborn") process.on("SIGTERM", () => console.log("not yet"));
createServer((request, response) => response.end(JSON.stringify({ name: "a", url: "http://127.0.0.1:" + port, capabilities: {}, skills: [] })))
  .listen(Number(port), "127.0.0.1", () => console.log("ready", process.pid));
`;

async function commandOf(role: string, ...more: string[]): Promise<AgentCommand> {
  const port = await freePort();
  return { role, url: `http://127.0.0.1:${port}`, argv: [process.execPath, "-e", AGENT, String(port), ...more] };
}

function folderOf(t: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "ias-agents-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

const signal = new AbortController().signal;

async function answers(url: string): Promise<boolean> {
  return fetch(url).then(
    (response) => response.ok,
    () => false,
  );
}

test("agents are started until their cards are there, write logs, and are stopped at the end, stubborn ones too", async (t) => {
  const folder = folderOf(t);
  const commands = [await commandOf("pro debater"), await commandOf("green_agent", "stubborn")];
  const told: string[] = [];
  const agents = await startAgents(commands, { folder, signal, onAgent: ({ role, takenOver }) => told.push(`${role} ${takenOver}`) });
  for (const { url } of commands) assert.equal(await answers(url), true);
  assert.deepEqual(told, ["pro debater false", "green_agent false"]);
  await agents[Symbol.asyncDispose]();
  for (const { url } of commands) assert.equal(await answers(url), false);
  assert.match(readFileSync(join(folder, "logs", "pro%20debater.log"), "utf8"), /^ready \d+$/m);
  assert.match(readFileSync(join(folder, "logs", "green_agent.log"), "utf8"), /^not yet$/m);
  assert.equal(existsSync(join(folder, "agents.json")), false);
});

test("one that ends is told with the end of its log, and the others are stopped", async (t) => {
  const folder = folderOf(t);
  const commands = [await commandOf("well"), await commandOf("ill", "broken")];
  await assert.rejects(startAgents(commands, { folder, signal }), { code: "unavailable", message: /ill ended \(3\).*\n.*no module named agent/ });
  assert.equal(await answers(commands[0]?.url ?? ""), false);
  await assert.rejects(startAgents([{ role: "x", url: "http://127.0.0.1:9", argv: ["no-such-program-at-all"] }], { folder, signal }), {
    code: "configuration",
    message: /x cannot be started: no-such-program-at-all \(ENOENT\)/,
  });
});

test("an address where somebody else answers is not used", async (t) => {
  const command = await commandOf("a");
  const running = await startAgents([command], { folder: folderOf(t), signal });
  try {
    await assert.rejects(startAgents([command], { folder: folderOf(t), signal }), { code: "conflict", message: /Something else answers at/ });
  } finally {
    await running[Symbol.asyncDispose]();
  }
});

test("agents that a killed runner left are taken over where the system says whose they are", async (t) => {
  const folder = folderOf(t);
  const command = await commandOf("a");
  const script = join(folder, "runner.ts");
  const module = fileURLToPath(new URL("start-agents.ts", import.meta.url));
  writeFileSync(
    script,
    `import { startAgents } from ${JSON.stringify(module)};
     await startAgents([${JSON.stringify(command)}], { folder: ${JSON.stringify(folder)}, signal: new AbortController().signal });
     console.log("up");
     setInterval(() => {}, 1000);`,
  );
  const runner = spawn(process.execPath, [script], { stdio: ["ignore", "pipe", "inherit"] });
  await once(runner.stdout, "data");
  runner.kill("SIGKILL");
  await once(runner, "exit");
  assert.equal(await answers(command.url), true, "the agent outlives its runner");
  const told: boolean[] = [];
  const starting = startAgents([command], { folder, signal, onAgent: ({ takenOver }) => told.push(takenOver) });
  if (process.platform !== "linux") return assert.rejects(starting, { code: "conflict" });
  const agents = await starting;
  assert.deepEqual(told, [true]);
  assert.equal(await answers(command.url), true);
  await agents[Symbol.asyncDispose]();
  assert.equal(await answers(command.url), false);
});
