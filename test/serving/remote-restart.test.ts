import assert from "node:assert/strict";
import test from "node:test";
import { connectA2A } from "../../src/lib/client/connect.ts";
import type { StreamItem } from "../../src/lib/client/client.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import { startServer } from "../../src/lib/main/server.ts";
import { numberedChunks } from "../servers/script.ts";
import { messageOf } from "../support/messages.ts";
import { agentOf } from "../support/serving.ts";

test("a client that reads across a restart of the server gets every chunk once, in order", { timeout: 60_000 }, async () => {
  const chunks = numberedChunks(40);
  const store = createMemoryStore({});
  const restart = Promise.withResolvers<void>();
  const release = Promise.withResolvers<void>();
  const agent = agentOf(async function* () {
    for (const [index, text] of chunks.entries()) {
      if (index === 20) {
        restart.resolve();
        await release.promise;
      }
      yield { kind: "text", text };
    }
  });
  const options = { store, agents: [agent], grpcPort: false, report: () => {} } as const;
  const first = await startServer({ ...options, port: 0 });
  await using client = await connectA2A(first.url, { allowLocal: true, backoff: { baseMs: 20, maxMs: 100 }, maxReconnects: 1000 });
  const items: StreamItem[] = [];
  const reading = (async () => {
    for await (const item of client.stream({ message: messageOf("go") })) items.push(item);
  })();
  await restart.promise;
  // The turn ends within the grace of the drain, while streams are cut off; what follows is read from the second server.
  const draining = first.drain({ graceMs: 30_000 });
  release.resolve();
  await draining;
  const second = await startServer({ ...options, port: first.port });
  await reading;
  await second[Symbol.asyncDispose]();
  const texts = items.flatMap(({ event }) => ("artifactUpdate" in event ? event.artifactUpdate.artifact.parts.map((part) => part.text ?? "") : []));
  assert.deepEqual(texts, chunks);
  const last = items.at(-1)?.event;
  assert.ok(last !== undefined && "statusUpdate" in last);
  assert.equal(last.statusUpdate.status.state, "TASK_STATE_COMPLETED");
});
