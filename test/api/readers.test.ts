import assert from "node:assert/strict";
import { once } from "node:events";
import { test } from "node:test";
import { WebSocket } from "ws";
import type { ReaderInfo } from "../../src/lib/model/api.ts";
import { grpcClient } from "../bindings/grpc-client.ts";
import { jsonRpcClient, restClient } from "../bindings/clients.ts";
import { apiClient } from "../support/api-client.ts";
import { readEvents } from "../support/event-source.ts";
import { agentOf, serving } from "../support/serving.ts";

const steady = agentOf(
  async function* (_turn, signal) {
    yield { kind: "text", text: "one " };
    await new Promise((resolve) => signal.addEventListener("abort", resolve));
  },
  { id: "steady" },
);

test("GET /api/readers lists the readers of every way in, with their place, and forgets those that have gone", async (t) => {
  const server = await serving(t, [steady], { grpcPort: 0, limits: { maxApiRate: Number.POSITIVE_INFINITY, maxAddressRate: Number.POSITIVE_INFINITY } });
  const api = apiClient(server.url);
  const { task } = await api.send("steady", "go");
  const events = `${server.url}/api/tasks/${task}/events`;
  const { events: first } = await readEvents(`${events}?audience=internal`, { until: ({ data }) => data.includes("one ") });
  const head = Number(first.at(-1)?.lastEventId.split(".")[1]);

  const stop = new AbortController();
  t.after(() => stop.abort());
  const readings: Promise<unknown>[] = [];
  /** Waits for the first word of a reader, then leaves it to wait for more. */
  const begin = async (frames: AsyncIterable<unknown>): Promise<void> => {
    const iterator = frames[Symbol.asyncIterator]();
    await iterator.next();
    readings.push(iterator.next().catch(() => undefined));
  };
  const base = `${server.url}/a2a/steady`;
  await begin(jsonRpcClient(base).stream("SubscribeToTask", { id: task }, {}, stop.signal));
  await begin(restClient(`${base}/rest`).stream("SubscribeToTask", { id: task }, {}, stop.signal));
  await begin(grpcClient(server.grpcAddress ?? "").stream("SubscribeToTask", { id: task }, {}, stop.signal));
  readings.push(readEvents(`${events}?audience=internal`, { signal: stop.signal }), readEvents(`${server.url}/api/feed`, { signal: stop.signal }));
  const socket = new WebSocket(`${server.url.replace("http", "ws")}/api/ws`, "ias.api.v1");
  t.after(() => socket.terminate());
  await once(socket, "open");
  socket.send(JSON.stringify({ op: "subscribe", sub: 1, task }));

  const listed = async (): Promise<readonly ReaderInfo[]> => (await api.get<ReaderInfo[]>(`/api/readers?task=${task}`)).body;
  const until = async (holds: (readers: readonly ReaderInfo[]) => boolean): Promise<readonly ReaderInfo[]> => {
    for (;;) {
      const readers = await listed();
      if (holds(readers)) return readers;
    }
  };
  const readers = await until((all) => all.length === 6 && all.every(({ lag, audience }) => lag === 0 || audience !== "internal"));
  assert.deepEqual(readers.map(({ transport }) => transport).toSorted(), ["feed", "grpc", "jsonrpc", "rest", "sse", "websocket"]);
  const sse = readers.find(({ transport }) => transport === "sse");
  assert.deepEqual([sse?.seq, sse?.lag, sse?.audience, sse?.agent], [head, 0, "internal", "steady"]);
  assert.equal((await api.get<ReaderInfo[]>("/api/readers?task=other")).body.length, 0);

  stop.abort();
  socket.terminate();
  await Promise.all(readings);
  assert.deepEqual(await until((all) => all.length === 0), []);
});
