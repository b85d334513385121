import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { connectA2A } from "../../src/lib/client/connect.ts";
import { messageOf } from "../support/messages.ts";
import { read, root } from "../support/tree.ts";

async function start(dataDir: string, port: string): Promise<{ child: ChildProcess; url: string }> {
  const child = spawn(process.execPath, ["--conditions=@infinite-agent-streams/source", `${root}recipes/r1-one-process/main.ts`], {
    stdio: ["ignore", "pipe", "inherit"],
    env: { ...process.env, DATA_DIR: dataDir, PORT: port, OPENAI_API_KEY: "none" },
  });
  const line = await createInterface({ input: child.stdout })[Symbol.asyncIterator]().next();
  return { child, url: String(line.value) };
}

test("R1: a client that counts along sees kill -9 as a new attempt, and the count to its end", async (t) => {
  const dataDir = mkdtempSync(join(tmpdir(), "ias-r1-"));
  const first = await start(dataDir, "0");
  let { child } = first;
  t.after(async () => {
    child.kill("SIGKILL");
    if (child.exitCode === null && child.signalCode === null) await once(child, "exit");
    rmSync(dataDir, { recursive: true, force: true });
  });
  await using client = await connectA2A(`${first.url}/a2a/countdown`, { allowLocal: true, maxReconnects: 100, backoff: { baseMs: 50, maxMs: 500 } });
  const { port } = new URL(first.url);
  let answer = "";
  let attempts = 1;
  let killed = false;
  for await (const { event } of client.stream({ message: messageOf("20") })) {
    if ("artifactUpdate" in event) {
      const text = event.artifactUpdate.artifact.parts.map((part) => part.text ?? "").join("");
      answer = event.artifactUpdate.append === true ? answer + text : text;
    }
    if (JSON.stringify(event).includes('"kind":"attempt"')) attempts += 1;
    if (answer.includes("15") && !killed) {
      killed = true;
      child.kill("SIGKILL");
      await once(child, "exit");
      ({ child } = await start(dataDir, port));
    }
  }
  assert.equal(attempts, 2);
  assert.equal(answer, Array.from({ length: 21 }, (_, n) => `${20 - n} `).join(""));
  const exited = once(child, "exit") as Promise<[number | null]>;
  let lost = 0;
  let last = "";
  const stream = client.stream({ message: messageOf("30") }, { onConnection: ({ kind }) => void (lost += Number(kind === "lost")) });
  for await (const { event } of stream) {
    if ("artifactUpdate" in event && (last = event.artifactUpdate.artifact.parts[0]?.text ?? "") === "25 ") child.kill("SIGTERM");
  }
  assert.deepEqual({ lost, last }, { lost: 0, last: "0 " }, "SIGTERM lets a running turn and its stream come to their end");
  assert.deepEqual(await exited, [0, null]);
});

test("a recipe's main file has at most 60 lines", () => {
  assert.ok(read("recipes/r1-one-process/main.ts").split("\n").length <= 61);
});
