import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { messageOf } from "../support/messages.ts";
import { startModelServer } from "../support/model-server.ts";
import { rpcClient, statesOf, textsOf } from "../support/serving.ts";
import { read, root } from "../support/tree.ts";

/** The first TypeScript block of a page that contains `word`. */
function blockOf(page: string, word: string): string {
  const block = [...read(page).matchAll(/```ts\n(.*?)```/gs)].map(([, code = ""]) => code).find((code) => code.includes(word));
  assert.ok(block !== undefined, `${page} shows no TypeScript with ${word}`);
  return block;
}

/** Runs a page's code as it stands, in a folder of its own; the lines that it prints. */
function run(t: TestContext, code: string, env: Record<string, string>): { child: ChildProcess; lines: AsyncIterator<string> } {
  // Inside the repository, so that the package's own name resolves; the folder is ignored by git.
  mkdirSync(`${root}.cache`, { recursive: true });
  const folder = mkdtempSync(`${root}.cache/readme-`);
  const cwd = mkdtempSync(join(tmpdir(), "ias-readme-"));
  writeFileSync(join(folder, "agent.ts"), code);
  const child = spawn(process.execPath, ["--conditions=@infinite-agent-streams/source", join(folder, "agent.ts")], {
    cwd,
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, OPENAI_AGENTS_DISABLE_TRACING: "1", ...env },
  });
  t.after(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    for (const path of [folder, cwd]) rmSync(path, { recursive: true, force: true });
  });
  return { child, lines: createInterface({ input: child.stdout })[Symbol.asyncIterator]() };
}

test("README's ten lines serve an Agents SDK agent, streamed from a real model server", async (t) => {
  await using models = await startModelServer();
  const code = blockOf("README.md", "new Agent(");
  assert.ok(code.split("\n").filter((line) => line.trim() !== "").length <= 10, "ten lines at most");
  const { lines } = run(t, code, { OPENAI_BASE_URL: `${models.url}/v1`, OPENAI_API_KEY: "none" });
  const url: unknown = (await lines.next()).value;
  assert.ok(typeof url === "string" && url.endsWith("/a2a/poet"), String(url));
  const received = await rpcClient(url).all("SendStreamingMessage", { message: messageOf("Rivers, please") });
  assert.ok(["COMPLETED", "FAILED"].includes(statesOf(received).at(-1) ?? ""), "the random model may say anything, but the task ends");
  assert.ok(textsOf(received).length > 1, "token by token");
});

test("the quick start's agent without an SDK counts to ten", async (t) => {
  const code = `${blockOf("docs/quick-start.md", "counter")}\nconsole.log(server.url);\n`;
  const { lines } = run(t, code, {});
  const url: unknown = (await lines.next()).value;
  const received = await rpcClient(`${String(url)}/a2a/counter`).all("SendStreamingMessage", { message: messageOf("go") });
  assert.equal(textsOf(received).join(""), "1 2 3 4 5 6 7 8 9 10 ");
});
