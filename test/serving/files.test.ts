import assert from "node:assert/strict";
import { randomBytes } from "node:crypto";
import { describe, it } from "node:test";
import { Agent } from "@openai/agents";
import { assistantMessage, modelResponder, ScriptedModel } from "@openai/agents/testing";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { openaiAgents } from "../../src/lib/engine/openai-agents.ts";
import type { ModelEndpoint } from "../../src/lib/engine/openai-agents/provider.ts";
import type { Server } from "../../src/lib/main/server.ts";
import type { Part } from "../../src/lib/model/a2a.ts";
import { receiver } from "../../src/lib/testing/webhook-receiver.ts";
import { messageOf } from "../support/messages.ts";
import { agentOf, rpcClient, serving } from "../support/serving.ts";

/** An agent that gives back the files that it gets, and says how many bytes it loaded. */
const echo = agentOf(
  async function* (turn) {
    const parts = turn.input.flatMap((message) => message.parts).filter((part) => part.text === undefined);
    for (const [index, part] of parts.entries()) {
      yield { kind: "text", text: `${(await turn.load(part)).byteLength} ` };
      yield { kind: "artifact", artifact: { artifactId: `file-${index}`, parts: [part] } };
    }
  },
  { inputModes: ["text/plain", "image/png", "application/octet-stream"] },
);

describe("files for an Agents SDK agent", () => {
  const reading = (server: Server) => rpcClient(`${server.url}/a2a/reader`);
  const png = { raw: "iVBORw0KGgo=", mediaType: "image/png" };

  it("reach the model without a word in the agent's definition, and its card says which", async (t) => {
    const asked: unknown[] = [];
    const model = new ScriptedModel([
      modelResponder(({ request }) => {
        asked.push(request.input);
        return [assistantMessage("A cat.")];
      }),
    ]);
    const server = await serving(t, [defineAgent({ id: "reader", engine: openaiAgents(new Agent({ name: "Reader", model })) })]);
    const { task } = await reading(server).send("", { parts: [{ text: "What is this?" }, png, { raw: "JVBERi0=", mediaType: "application/pdf" }] });
    assert.deepEqual([task.status.state, task.artifacts?.[0]?.parts], ["TASK_STATE_COMPLETED", [{ text: "A cat." }]]);
    assert.match(JSON.stringify(asked), /"What is this\?".*"image":"data:image\/png;base64,iVBORw0KGgo=".*"file":"data:application\/pdf;base64,JVBERi0="/);
    const card = (await (await fetch(`${server.url}/a2a/reader/.well-known/agent-card.json`)).json()) as { readonly defaultInputModes: readonly string[] };
    assert.deepEqual(card.defaultInputModes, ["text/plain", "application/json", "text/*", "image/*", "application/pdf"]);
  });

  it("are refused when neither the engine nor the agent names their type", async (t) => {
    const engine = openaiAgents(new Agent({ name: "Reader", model: new ScriptedModel([]) }));
    const server = await serving(t, [defineAgent({ id: "reader", engine })]);
    for (const mediaType of ["video/mp4", "audio/wav", "application/x-anything"]) {
      const { error } = await reading(server).call("SendMessage", { message: messageOf("", { parts: [{ raw: "AAAA", mediaType }] }) });
      assert.deepEqual([error?.code, error?.message.includes("image/*, application/pdf")], [-32005, true], mediaType);
    }
  });

  it("are refused by the type that a text or data part names, unless it is what such parts are anyway", async (t) => {
    const server = await serving(t, [agentOf(async function* () {}, { inputModes: ["image/*", "text/csv"] })]);
    const send = async (part: object): Promise<number | undefined> => {
      const { error } = await rpcClient(`${server.url}/a2a/agent`).call("SendMessage", { message: { ...messageOf(""), parts: [part] } });
      return error?.code;
    };
    for (const part of [
      { text: "a" },
      { text: "a", mediaType: "" },
      { text: "a", mediaType: "Text/Plain; charset=utf-8" },
      { text: "a,b", mediaType: "text/csv" },
      { data: {} },
      { data: {}, mediaType: "application/json" },
    ])
      assert.equal(await send(part), undefined, JSON.stringify(part));
    for (const part of [
      { text: "# a", mediaType: "text/markdown" },
      { text: "a", mediaType: "application/json" },
      { data: {}, mediaType: "application/geo+json" },
      { data: {}, mediaType: "text/plain" },
    ])
      assert.equal(await send(part), -32005, JSON.stringify(part));
  });

  it("may be audio where chat completions are spoken", () => {
    const modes = (endpoint: ModelEndpoint) => openaiAgents(new Agent({ name: "Reader" }), { endpoint }).inputModes?.includes("audio/*");
    assert.equal(modes({ baseUrl: "http://127.0.0.1:11434/v1" }), true);
    assert.equal(modes({ baseUrl: "http://127.0.0.1:11434/v1", api: "responses" }), false);
    assert.equal(modes({ apiKey: "k" }), false);
    assert.equal(modes({ apiKey: "k", api: "chat-completions" }), true);
  });
});

describe("files", () => {
  it("come back as they were sent: small ones raw, large ones by URL, no frame over its limit", async (t) => {
    const server = await serving(t, [echo]);
    const client = rpcClient(`${server.url}/a2a/agent`);
    const sizes = [100, 20_000, 150_000, 600_000];
    const files = sizes.map((size) => randomBytes(size));
    const parts: Part[] = files.map((bytes, index) => ({ raw: bytes.toString("base64"), mediaType: "image/png", filename: `f${index}.png` }));
    const frames = await client.all("SendStreamingMessage", { message: messageOf("these", { parts: [{ text: "these" }, ...parts] }) });
    const seen: Part[] = [];
    for (const { event } of frames) {
      assert.ok(Buffer.byteLength(JSON.stringify(event)) <= 256 * 1024);
      if ("artifactUpdate" in event && event.artifactUpdate.artifact.artifactId !== "answer") seen.push(...event.artifactUpdate.artifact.parts);
    }
    assert.deepEqual(
      seen.map((part) => (part.raw === undefined ? "url" : "raw")),
      ["raw", "raw", "raw", "url"],
    );
    const [first] = frames;
    assert.ok(first !== undefined && "task" in first.event);
    const task = await client.get(first.event.task.id);
    for (const place of [
      seen,
      task.history?.[0]?.parts.slice(1) ?? [],
      task.artifacts?.filter(({ artifactId }) => artifactId !== "answer").flatMap((artifact) => artifact.parts) ?? [],
    ]) {
      assert.equal(place.length, files.length);
      for (const [index, part] of place.entries()) {
        const bytes = part.raw === undefined ? Buffer.from(await (await fetch(part.url ?? "")).arrayBuffer()) : Buffer.from(part.raw, "base64");
        assert.ok(bytes.equals(files[index] ?? Buffer.of()), `file ${index}`);
        assert.deepEqual([part.mediaType, part.filename], ["image/png", `f${index}.png`]);
      }
    }
    assert.equal(task.artifacts?.find(({ artifactId }) => artifactId === "answer")?.parts[0]?.text, sizes.map((size) => `${size} `).join(""));
    const url = seen[3]?.url ?? "";
    const range = await fetch(url, { headers: { range: "bytes=10-19" } });
    assert.deepEqual([range.status, Buffer.from(await range.arrayBuffer()).equals(files[3]?.subarray(10, 20) ?? Buffer.of())], [206, true]);
    assert.equal((await fetch(url.replace("size=600000", "size=700000"))).status, 403);
    const head = await fetch(url, { method: "HEAD" });
    assert.deepEqual(
      [head.status, head.headers.get("content-length"), head.headers.get("content-disposition")],
      [200, "600000", `inline; filename="f3.png"; filename*=UTF-8''f3.png`],
    );
  });

  it("are refused where they are no base64 or name the server's own scheme", async (t) => {
    const client = rpcClient(`${(await serving(t, [echo])).url}/a2a/agent`);
    for (const part of [{ raw: "not base64!" }, { url: `ias-blob:${"0".repeat(64)}?size=1` }]) {
      const { error } = await client.call("SendMessage", { message: messageOf("", { parts: [part] }) });
      assert.equal(error?.code, -32602, JSON.stringify(error));
    }
  });

  it("at addresses inside are not fetched for a caller, at public ones that are really inside neither", async (t) => {
    await using inside = await receiver();
    const client = rpcClient(`${(await serving(t, [echo], { allowLocalTargets: false })).url}/a2a/agent`);
    for (const url of [inside.url, inside.url.replace("127.0.0.1", "localhost"), inside.url.replace("127.0.0.1", "[::ffff:127.0.0.1]"), "file:///etc/passwd"]) {
      const { task } = await client.send("", { parts: [{ url, mediaType: "image/png" }] });
      assert.equal(task.status.state, "TASK_STATE_FAILED", url);
      assert.ok(!JSON.stringify(task.artifacts ?? []).includes("root:"));
    }
    assert.equal(inside.requests.length, 0);
  });

  it("a Task over the limit of a client gives its long texts by URL, whole and in ranges", async (t) => {
    const line = "0123456789abcdef".repeat(1024);
    const server = await serving(t, [
      agentOf(async function* () {
        for (let n = 0; n < 400; n += 1) yield { kind: "text", text: line };
      }),
    ]);
    const client = rpcClient(`${server.url}/a2a/agent`);
    const { task } = await client.send("long");
    assert.ok(JSON.stringify(task).length < 4 * 1024 * 1024);
    const [part] = task.artifacts?.[0]?.parts ?? [];
    const response = await fetch(part?.url ?? "");
    assert.equal(response.headers.get("content-type"), "text/plain; charset=utf-8");
    assert.equal(await response.text(), line.repeat(400));
    const tail = await fetch(part?.url ?? "", { headers: { range: "bytes=-16" } });
    assert.deepEqual([tail.status, await tail.text()], [206, "0123456789abcdef"]);
  });
});
