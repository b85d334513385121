import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { after, test } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { ClientFactory, ClientFactoryOptions, JsonRpcTransportFactory, RestTransportFactory } from "@a2a-js/sdk/client";
import { GrpcTransportFactory } from "@a2a-js/sdk/client/grpc";
import { Message, Role } from "@a2a-js/sdk";
import { Agent } from "@openai/agents";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { openaiAgents } from "../../src/lib/engine/openai-agents.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import { startServer } from "../../src/lib/main/server.ts";
import { engine } from "../support/engines.ts";
import { startModelServer } from "../support/model-server.ts";
import { chatText, textsSent } from "../support/model-texts.ts";
import { startRecordingProxy } from "../support/recording-proxy.ts";

// llama.cpp's own server → the Agents SDK → our server → the official clients: as many artifact chunks as the model server sent
// chunks with text, the same strings in the same order.

const TOKENS = 250;
const python1 = engine("python-a2a-1").python;
const python03 = engine("python-a2a-0.3").python;
const models = await startModelServer();
const proxy = await startRecordingProxy(models.url);
const endpoint = { baseUrl: `${proxy.url}/v1` };
const speaker = new Agent({ name: "Speaker", instructions: "Talk.", modelSettings: { maxTokens: TOKENS, providerData: { ignore_eos: true } } });
const server = await startServer({
  agents: [defineAgent({ id: "speaker", engine: openaiAgents(speaker, { model: "tiny", endpoint }) })],
  store: createMemoryStore(),
  port: 0,
  grpcPort: 0,
});
after(async () => {
  await server[Symbol.asyncDispose]();
  await proxy[Symbol.asyncDispose]();
  await models[Symbol.asyncDispose]();
});

for (const [binding, create] of [
  ["JSONRPC", () => new JsonRpcTransportFactory()],
  ["HTTP+JSON", () => new RestTransportFactory()],
  ["GRPC", () => new GrpcTransportFactory()],
] as const) {
  test(`@a2a-js/sdk, ${binding}: each chunk of the model server is one artifact chunk`, async () => {
    const factory = new ClientFactory(
      ClientFactoryOptions.createFrom(ClientFactoryOptions.default, { transports: [create()], preferredTransports: [binding] }),
    );
    const client = await factory.createFromUrl(server.url);
    const message = Message.fromJSON({ messageId: crypto.randomUUID(), role: Role.ROLE_USER, parts: [{ text: "Talk to me." }] });
    const texts: string[] = [];
    for await (const { payload } of client.sendMessageStream({ tenant: "", message, configuration: undefined, metadata: undefined })) {
      if (payload?.$case !== "artifactUpdate") continue;
      texts.push((payload.value.artifact?.parts ?? []).map((part) => (part.content?.$case === "text" ? part.content.value : "")).join(""));
    }
    assertAsSent(texts);
  });
}

for (const [name, python, script, bindings] of [
  ["Python a2a-sdk 1.x", python1, "stream_client_1.py", ["JSONRPC", "HTTP+JSON", "GRPC"]],
  ["Python a2a-sdk 0.3.x", python03, "stream_client_0_3.py", ["JSONRPC", "HTTP+JSON"]],
] as const) {
  for (const binding of bindings) {
    test(`${name}, ${binding}: each chunk of the model server is one artifact chunk`, async () => {
      const path = fileURLToPath(new URL(`../servers/python/${script}`, import.meta.url));
      const { stdout } = await promisify(execFile)(python, [path, server.url, binding, "Talk to me."], { maxBuffer: 64 * 1024 * 1024 });
      assertAsSent(
        stdout
          .split("\n")
          .filter((line) => line !== "")
          .map((line) => JSON.parse(line) as string),
      );
    });
  }
}

/** What a client got is what the model server sent in the last exchange. */
function assertAsSent(texts: readonly string[]): void {
  const sent = textsSent(proxy.exchanges.at(-1)?.data ?? [], chatText);
  assert.ok(sent.length > TOKENS / 2, `the model server sent only ${sent.length} chunks with text`);
  assert.deepEqual(texts, sent);
}
