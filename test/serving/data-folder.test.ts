import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { serve, type ServeOptions } from "../../src/lib/main/serve.ts";
import type { Server } from "../../src/lib/main/server.ts";
import { IasError } from "../../src/lib/model/errors.ts";
import { messageOf } from "../support/messages.ts";
import { agentOf, collect, EXTENDED, rpcClient, statesOf, textOf, textsOf } from "../support/serving.ts";

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), "ias-"));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

async function start(t: TestContext, options: ServeOptions): Promise<Server> {
  const server = await serve({ port: 0, grpcPort: false, report: () => {}, ...options });
  t.after(() => server[Symbol.asyncDispose]());
  return server;
}

describe("a data folder", () => {
  it("has one owner: a second server says who it is, a read-only one reads beside it and takes nothing", async (t) => {
    const dataDir = await folder(t);
    const gate = Promise.withResolvers<void>();
    const agents = [
      agentOf(async function* () {
        yield { kind: "text", text: "one " };
        await gate.promise;
        yield { kind: "text", text: "two" };
      }),
    ];
    const owner = await start(t, { agents, dataDir });
    await assert.rejects(serve({ agents, dataDir, port: 0, grpcPort: false }), (error: unknown) => {
      assert.ok(error instanceof IasError && error.code === "conflict");
      assert.match(error.message, new RegExp(`process ${process.pid}\\b.*--read-only`));
      return true;
    });
    const reader = await start(t, { agents, dataDir, readOnly: true });
    const writing = rpcClient(`${owner.url}/a2a/agent`, EXTENDED);
    const reading = rpcClient(`${reader.url}/a2a/agent`, EXTENDED);
    const { task } = await writing.send("go", {}, { returnImmediately: true });
    while (textOf(await reading.get(task.id)) === "") await new Promise(setImmediate);
    const live = reading.frames("SubscribeToTask", { id: task.id });
    await live.next();
    gate.resolve();
    const rest = await collect(live);
    assert.deepEqual(textsOf(rest), ["two"]);
    assert.deepEqual(statesOf(rest).slice(-1), ["COMPLETED"]);
    for (const [method, params] of [
      ["SendMessage", { message: messageOf("no") }],
      ["CancelTask", { id: task.id }],
    ] as const) {
      const { error } = await reading.call(method, params);
      assert.ok(error !== undefined, method);
    }
    const refused = await reading.call("SendMessage", { message: messageOf("no") });
    assert.match(JSON.stringify(refused.error), /READ_ONLY/);
  });

  it("keeps tasks, files and conversations over a restart", async (t) => {
    const dataDir = await folder(t);
    const bytes = Buffer.alloc(50_000, "x");
    const agents = [
      agentOf(
        async function* (turn) {
          yield { kind: "text", text: `${(await turn.history()).length} before` };
          const file = turn.input[0]?.parts.find((part) => part.filename !== undefined);
          if (file !== undefined) yield { kind: "artifact", artifact: { artifactId: "copy", parts: [file] } };
        },
        { inputModes: ["*/*"] },
      ),
    ];
    const message = {
      ...messageOf("keep", { contextId: "c" }),
      parts: [{ text: "keep" }, { raw: bytes.toString("base64"), filename: "x.bin", mediaType: "application/octet-stream" }],
    };
    const first = await start(t, { agents, dataDir });
    const sent = await rpcClient(`${first.url}/a2a/agent`).must<{ task: { id: string } }>("SendMessage", { message });
    await first[Symbol.asyncDispose]();
    const second = await start(t, { agents, dataDir });
    const client = rpcClient(`${second.url}/a2a/agent`);
    const task = await client.get(sent.task.id);
    assert.equal(task.artifacts?.find((artifact) => artifact.artifactId === "copy")?.parts[0]?.raw, bytes.toString("base64"));
    assert.equal(textOf((await client.send("more", { contextId: "c" })).task), "2 before");
  });
});
