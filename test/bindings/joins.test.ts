import assert from "node:assert/strict";
import { randomUUID } from "node:crypto";
import { after, before, describe, it } from "node:test";
import { StreamResponse } from "@a2a-js/sdk";
import { LegacyJsonRpcTransport } from "@a2a-js/sdk/compat/v0_3/client";
import type { AgentEvent } from "../../src/lib/engine/engine.ts";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { scripted } from "../../src/lib/engine/scripted.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import { type Server, startServer } from "../../src/lib/main/server.ts";
import { EXTENSION_URI } from "../../src/lib/model/entry.ts";
import { bindingClients } from "./clients.ts";
import { readEvents } from "./sse.ts";
import type { BindingClient, Wire, WireEvent } from "./wire.ts";

const TOKENS = 1500;
const READERS_EACH = 6;

/** The texts of a task's artifacts as a reader of its stream has them, and the cursors that it saw. */
function createReader() {
  const texts = new Map<string, string>();
  const cursors: number[] = [];
  const set = (artifact: Wire, append: boolean): void => {
    const text = artifact.parts.map((part: Wire) => part.text ?? "").join("");
    texts.set(artifact.artifactId, (append ? (texts.get(artifact.artifactId) ?? "") : "") + text);
  };
  return {
    see({ id, event }: WireEvent): void {
      const body = event.task ?? event.statusUpdate ?? event.artifactUpdate;
      cursors.push(Number((id ?? body.metadata[EXTENSION_URI].cursor).split(".")[1]));
      for (const artifact of event.task?.artifacts ?? []) set(artifact, false);
      if (event.artifactUpdate !== undefined) set(event.artifactUpdate.artifact, event.artifactUpdate.append === true);
    },
    text: () => texts.get("answer") ?? "",
    cursors,
  };
}

describe("readers that join during a burst", () => {
  let server: Server;
  let clients: readonly BindingClient[];
  let arrived = Promise.withResolvers<void>();
  /** The burst begins when its task is known, or it could be over before all have joined. */
  const known = Promise.withResolvers<void>();

  before(async () => {
    async function* act(): AsyncIterable<AgentEvent> {
      await known.promise;
      for (let at = 0; at < TOKENS; at += 1) {
        yield { kind: "text", text: `${at} ` };
        if (at % 25 === 0) {
          // A reader joins now, and the burst goes on while it opens.
          arrived.resolve();
          await new Promise((resolve) => setImmediate(resolve));
        }
      }
    }
    const agent = defineAgent({ id: "main", engine: scripted(act) });
    server = await startServer({ report: () => {}, agents: [agent], store: createMemoryStore(), port: 0, grpcPort: 0 });
    clients = bindingClients(server);
  });
  after(async () => {
    for (const client of clients) await client[Symbol.asyncDispose]();
    await server[Symbol.asyncDispose]();
  });

  it("see every entry once, in order, and the same text as GetTask, on all bindings", async () => {
    const url = `${server.url}/a2a/main`;
    const legacy = new LegacyJsonRpcTransport({ endpoint: url });
    const opens: ((id: string) => AsyncIterable<WireEvent>)[] = [
      ...clients.map((client) => (id: string) => client.stream("SubscribeToTask", { id })),
      async function* (id) {
        for await (const event of legacy.resubscribeTask({ tenant: "", id })) yield { event: StreamResponse.toJSON(event) };
      },
      // By hand: the SDK's REST client of 0.3 loses `append`.
      async function* (id) {
        for await (const { event } of readEvents(await fetch(`${url}/rest/v1/tasks/${id}:subscribe`))) yield { event };
      },
    ];
    const [rpc] = clients;
    assert.ok(rpc !== undefined);
    const { task } = await rpc.call("SendMessage", {
      message: { messageId: randomUUID(), role: "ROLE_USER", parts: [{ text: "go" }] },
      configuration: { returnImmediately: true },
    });
    const readers: ReturnType<typeof createReader>[] = [];
    const reading: Promise<void>[] = [];
    known.resolve();
    for (let round = 0; round < READERS_EACH; round += 1) {
      for (const open of opens) {
        await arrived.promise;
        arrived = Promise.withResolvers();
        const reader = createReader();
        readers.push(reader);
        reading.push(
          (async () => {
            for await (const event of open(task.id)) reader.see(event);
          })(),
        );
      }
    }
    await Promise.all(reading);
    const final = await rpc.call("GetTask", { id: task.id });
    const text = final.artifacts[0].parts.map((part: Wire) => part.text).join("");
    assert.equal(text, Array.from({ length: TOKENS }, (_, at) => `${at} `).join(""));
    const head = Math.max(...readers.map(({ cursors }) => cursors.at(-1) ?? 0));
    for (const [at, reader] of readers.entries()) {
      assert.ok(reader.text() === text, `reader ${at} has another text (${reader.text().length} of ${text.length} characters)`);
      assert.equal(reader.cursors.at(-1), head);
      assert.ok(
        reader.cursors.every((cursor, index) => index === 0 || cursor >= (reader.cursors[index - 1] ?? 0)),
        `reader ${at}'s cursors fall back`,
      );
    }
    const joined = readers.filter(({ cursors }) => (cursors[0] ?? 0) > 2).length;
    assert.ok(joined > readers.length / 2, `only ${joined} of ${readers.length} readers joined in the middle`);
  });
});
