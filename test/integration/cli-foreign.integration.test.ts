import assert from "node:assert/strict";
import { tmpdir } from "node:os";
import test from "node:test";
import { numberedChunks, type Script } from "../servers/script.ts";
import { startIas, startServe } from "../support/ias-process.ts";
import { startModelServer } from "../support/model-server.ts";
import { startPythonAgent } from "../support/python-agent.ts";

// `ias` before what nobody here wrote: agents of the official Python SDK, and llama.cpp's server.

const cwd = tmpdir();

for (const version of ["1.0", "0.3"] as const) {
  test(`chat and card with an agent of the Python SDK that speaks ${version}`, async (t) => {
    await using agent = await startPythonAgent(version);
    const chunks = numberedChunks(30);
    const say = (script: Script) => startIas(t, ["chat", agent.url, JSON.stringify(script)], { cwd });
    const chat = say({ do: "chunks", chunks });
    assert.equal(await chat.ended, 0, chat.err);
    assert.equal(chat.out.trimEnd(), chunks.join("").trimEnd());
    const failed = say({ do: "fail", text: "no luck" });
    assert.equal(await failed.ended, 3);
    assert.match(failed.err, /The task failed\./);
    const asking = say({ do: "ask", text: "Which one?" });
    assert.deepEqual([await asking.ended, asking.out], [0, "Which one?\n"]);
    assert.match(asking.err, /waits for an answer: ias chat \S+ --resume \S+ "…"/);
    const card = startIas(t, ["card", agent.url, "--json"], { cwd });
    assert.ok([0, 3].includes(Number(await card.ended)), card.err);
    assert.equal(typeof (JSON.parse(card.out) as { readonly right: unknown }).right, "boolean");
  });
}

test("serve --model answers from a real model server, and says which", async (t) => {
  await using models = await startModelServer();
  const env = { OPENAI_BASE_URL: `${models.url}/v1`, OPENAI_AGENTS_DISABLE_TRACING: "1", PORT: "0", GRPC_PORT: "off", LOG: "memory" };
  const server = startIas(t, ["serve", "--model", "tiny"], { cwd, env });
  const [, url = ""] = await server.until(/is ready: (\S+)\n/);
  await server.until(new RegExp(`model {4}tiny at ${new URL(models.url).host}\n`));
  const chat = startIas(t, ["chat", `${url}/a2a/assistant`, "Rivers, please", "--json"], { cwd });
  assert.ok([0, 3].includes(Number(await chat.ended)), "the random model may say anything, but the task ends");
  const pieces = chat.out
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as { readonly event: object })
    .filter(({ event }) => "artifactUpdate" in event);
  assert.ok(pieces.length > 1, "token by token");
});

test("serve --durability host says so, and keeps what it said", async (t) => {
  const folder = `${cwd}/ias-host-${process.pid}`;
  const { rm } = await import("node:fs/promises");
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const args = ["--data", folder, "--durability", "host"];
  const first = await startServe(t, args, { cwd });
  assert.match(first.out, /"durability":"host"/);
  const chat = startIas(t, ["chat", first.url, "2*21"], { cwd });
  assert.deepEqual([await chat.ended, /42/.test(chat.out)], [0, true]);
  first.child.kill("SIGKILL");
  await first.ended;
  const second = await startServe(t, args, { cwd });
  const tasks = startIas(t, ["tasks", second.url], { cwd });
  assert.equal(await tasks.ended, 0);
  assert.match(tasks.out, /completed +assistant +2\*21\n/);
});
