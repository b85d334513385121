import assert from "node:assert/strict";
import { execFile, spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { after, before, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { connectA2A } from "../../src/lib/client/connect.ts";
import { readSignals } from "../../src/lib/liveness/read-signals.ts";
import type { StreamResponse } from "../../src/lib/model/a2a.ts";
import { engine } from "../support/engines.ts";
import { messageOf } from "../support/messages.ts";

// Where "36 s of tokens, 1 event" comes from: docs/guides/campaigns.md says it, this shows it. Nothing here depends on how fast the machine is.

const folder = fileURLToPath(new URL("../servers/python/", import.meta.url));
const { python } = engine("python-a2a-0.3.5");
const agent = spawn(python, [`${folder}token_agent_0_3_5.py`], { stdio: ["pipe", "pipe", "ignore"] });
const ended = once(agent, "exit");
let url = "";

before(async () => {
  const [line] = (await once(createInterface({ input: agent.stdout }), "line")) as [string];
  url = `http://127.0.0.1:${(JSON.parse(line) as { readonly port: number }).port}`;
});
after(async () => {
  agent.stdin.end();
  await ended;
});

interface Script {
  readonly how: "update" | "collect" | "block";
  readonly tokens: number;
  readonly gapMs?: number;
  readonly gated?: boolean;
}

const run = promisify(execFile);

/** When each event came to the SDK's own client, ms. */
async function count(script: Script, streaming: "yes" | "no"): Promise<readonly number[]> {
  const { stdout } = await run(python, [`${folder}count_client_0_3_5.py`, url, JSON.stringify(script), streaming]);
  return JSON.parse(stdout) as readonly number[];
}

/** What comes to our client, with the time of its arrival. */
async function* stream(script: Script): AsyncGenerator<{ readonly event: StreamResponse; readonly at: number }> {
  await using client = await connectA2A(url, { allowLocal: true });
  for await (const { event } of client.stream({ message: messageOf(JSON.stringify(script)) })) yield { event, at: Date.now() };
}

function textOf(event: StreamResponse): string {
  return "statusUpdate" in event ? (event.statusUpdate.status.message?.parts ?? []).map(({ text = "" }) => text).join("") : "";
}

test("update_status for each token streams: the next token is made only after the client has seen this one", async () => {
  const seen: string[] = [];
  agent.stdin.write("\n");
  for await (const { event } of stream({ how: "update", tokens: 25, gated: true })) {
    const text = textOf(event);
    if (text === "") continue;
    assert.ok(
      readSignals(event).some(({ kind }) => kind === "content"),
      "each token proves life",
    );
    seen.push(text.split("@")[0] ?? "");
    if (seen.length < 25) agent.stdin.write("\n");
  }
  assert.deepEqual(
    seen,
    Array.from({ length: 25 }, (_, n) => String(n)),
  );
});

test("the same subject gives one event to a client with streaming off, and one for each token to a client with streaming on", async () => {
  const script: Script = { how: "update", tokens: 50 };
  assert.equal((await count(script, "no")).length, 1);
  assert.equal((await count(script, "yes")).length, 52, "the task, 50 tokens, and the end");
});

test("an executor that collects its tokens sends one status with all of them", async () => {
  const texts: string[] = [];
  for await (const { event } of stream({ how: "collect", tokens: 50 })) if (textOf(event) !== "") texts.push(textOf(event));
  assert.equal(texts.length, 1);
  assert.equal(texts[0]?.trim().split(" ").length, 50);
});

test("an executor that blocks the event loop makes every token before the first one leaves", async () => {
  const tokens: { readonly madeAt: number; readonly at: number }[] = [];
  for await (const { event, at } of stream({ how: "block", tokens: 20, gapMs: 20 })) {
    const madeAt = Number(textOf(event).split("@")[1]);
    if (textOf(event) !== "") tokens.push({ madeAt, at });
  }
  assert.equal(tokens.length, 20);
  const lastMade = Math.max(...tokens.map(({ madeAt }) => madeAt));
  // The clocks are one and the same; a token's time is rounded to the ms.
  assert.ok((tokens[0]?.at ?? 0) >= lastMade - 1);
});
