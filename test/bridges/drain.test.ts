import assert from "node:assert/strict";
import { test } from "node:test";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import { notHung } from "../../src/lib/testing/engine-support.ts";
import { agentOf, serving } from "../support/serving.ts";

const POSTS: Readonly<Record<string, object>> = {
  "/agui/agent": { threadId: "t", runId: "r", messages: [{ id: "m", role: "user", content: "go" }] },
  "/ai/agent": { id: "c", messages: [{ id: "m", role: "user", parts: [{ type: "text", text: "go" }] }] },
  "/v1/chat/completions": { model: "agent", stream: true, messages: [{ role: "user", content: "go" }] },
  "/v1/responses": { model: "agent", stream: true, input: "go" },
};

test("a server that stops tells each protocol's clients that there is more, and reports nothing", async (t) => {
  const reported: string[] = [];
  const agent = agentOf(async function* (_turn, signal) {
    yield { kind: "text", text: "half" };
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  });
  const server = await serving(t, [agent], { store: createMemoryStore(), report: (error) => void reported.push(error.message) });
  const begun: Promise<unknown>[] = [];
  const reads = Object.entries(POSTS).map(async ([path, body]) => {
    const half = Promise.withResolvers<void>();
    begun.push(half.promise);
    const response = await fetch(`${server.url}${path}`, { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body) });
    let text = "";
    let broken = false;
    try {
      for await (const chunk of response.body?.pipeThrough(new TextDecoderStream()) ?? []) {
        text += chunk;
        if (text.includes("half")) half.resolve();
      }
    } catch {
      broken = true;
    }
    return [path, broken ? "broken off" : text.trimEnd().split("\n").at(-1)?.slice(0, 60)];
  });
  await notHung("the beginnings", Promise.all(begun), 60_000);
  await server.drain({ graceMs: 0 });
  assert.deepEqual(await notHung("the ends", Promise.all(reads), 60_000), [
    ["/agui/agent", 'data: {"type":"RUN_ERROR","code":"STREAM_ENDED","message":"T'],
    ["/ai/agent", "broken off"],
    ["/v1/chat/completions", 'data: {"error":{"message":"The server ended this stream; the'],
    ["/v1/responses", 'data: {"message":"The server ended this stream; the task goe'],
  ]);
  assert.deepEqual(reported, []);
});
