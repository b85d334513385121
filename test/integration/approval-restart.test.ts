import assert from "node:assert/strict";
import { spawn, type ChildProcess } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { notHung } from "../../src/lib/testing/engine-support.ts";

// A tool call that waits for approval is in the log: the server is killed, and a new one goes on with the answer.

const IAS = fileURLToPath(new URL("../../src/lib/main/ias.ts", import.meta.url));

test("an approval that waits survives kill -9, and the tool runs once it is given", async () => {
  const folder = await mkdtemp(join(tmpdir(), "ias-approval-"));
  const children: ChildProcess[] = [];
  try {
    const first = await start(folder, children);
    const asked = await send(first.url, "Send a note to Ada: the tests are green");
    assert.equal(asked.status.state, "TASK_STATE_INPUT_REQUIRED");
    first.child.kill("SIGKILL");
    await once(first.child, "exit");

    const second = await start(folder, children);
    const done = await send(second.url, "approve", asked.id);
    assert.equal(done.status.state, "TASK_STATE_COMPLETED");
    assert.match(textOf(done), /The note to Ada .* was approved/);
  } finally {
    for (const child of children) child.kill("SIGKILL");
    await rm(folder, { recursive: true, force: true });
  }
});

interface Task {
  readonly id: string;
  readonly status: { readonly state: string };
  readonly artifacts?: readonly { readonly parts: readonly { readonly text?: string }[] }[];
}

async function start(folder: string, children: ChildProcess[]): Promise<{ readonly url: string; readonly child: ChildProcess }> {
  const env = { PATH: process.env["PATH"], DATA_DIR: folder, PORT: "0", GRPC_PORT: "off" };
  const child = spawn(process.execPath, [IAS, "serve", "--json"], { env, stdio: ["ignore", "pipe", "inherit"] });
  children.push(child);
  const [line] = (await notHung("the server's start", once(createInterface({ input: child.stdout }), "line"), 60_000)) as [string];
  return { url: (JSON.parse(line) as { url: string }).url, child };
}

async function send(url: string, text: string, taskId?: string): Promise<Task> {
  const message = { messageId: crypto.randomUUID(), role: "ROLE_USER", parts: [{ text }], ...(taskId !== undefined && { taskId }) };
  const response = await fetch(`${url}/a2a/assistant`, {
    method: "POST",
    headers: { "content-type": "application/json", "a2a-version": "1.0" },
    body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "SendMessage", params: { message } }),
  });
  const { result, error } = (await response.json()) as { result?: { task: Task }; error?: unknown };
  assert.ok(result, JSON.stringify(error));
  return result.task;
}

function textOf(task: Task): string {
  return (task.artifacts ?? []).flatMap(({ parts }) => parts.map((part) => part.text ?? "")).join("");
}
