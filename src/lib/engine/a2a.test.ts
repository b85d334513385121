import assert from "node:assert/strict";
import test from "node:test";
import { numberedChunks, type Script } from "../../../test/servers/script.ts";
import { type SdkServerOptions, startSdkServer } from "../../../test/servers/sdk-js.ts";
import { startCuttingProxy } from "../../../test/support/cutting-proxy.ts";
import type { A2AClient, StreamItem } from "../client/client.ts";
import { readCard } from "../client/card.ts";
import type { JsonObject, Part, Task } from "../model/a2a.ts";
import { EXTENSION_URI } from "../model/entry.ts";
import { IasError } from "../model/errors.ts";
import { runEngineConformance } from "../testing/engine-conformance.ts";
import { collect, type ChunkSource, textsOf } from "../testing/engine-support.ts";
import { testTurn, userMessage } from "../testing/test-turn.ts";
import { a2a, type A2AEngineOptions } from "./a2a.ts";
import type { AgentEvent, Engine, Turn } from "./engine.ts";
import { createRandom } from "../model/random.ts";
import { recorded } from "../../../test/support/recorded.ts";

/** A client whose agent is in this process: the one way to prove lock step without a network's buffers between. */
function localClient(source: ChunkSource, asks?: string): A2AClient {
  const card = readCard({
    name: "local",
    supportedInterfaces: [{ url: "http://127.0.0.1:1/", protocolBinding: "JSONRPC", protocolVersion: "1.0" }],
    capabilities: { streaming: true },
  });
  const task: Task = { id: "remote-1", contextId: "remote-context", status: { state: "TASK_STATE_SUBMITTED" } };
  const ids = { taskId: task.id, contextId: task.contextId };
  const client: Partial<A2AClient> = {
    card,
    hasCursors: false,
    async *stream({ message }, options = {}): AsyncGenerator<StreamItem, void, undefined> {
      yield { event: { task } };
      if (asks !== undefined && message.taskId === undefined) {
        yield {
          event: { statusUpdate: { ...ids, status: { state: "TASK_STATE_INPUT_REQUIRED", message: userMessage([{ text: asks }], { role: "ROLE_AGENT" }) } } },
        };
        return;
      }
      let append = false;
      const input = message.parts.map((part) => part.text ?? "").join("\n");
      for await (const text of source({ input, signal: options.signal ?? new AbortController().signal })) {
        yield { event: { artifactUpdate: { ...ids, artifact: { artifactId: "a1", parts: [{ text }] }, append } } };
        append = true;
      }
      yield { event: { statusUpdate: { ...ids, status: { state: "TASK_STATE_COMPLETED" } } } };
    },
    cancelTask: async () => task,
  };
  return client as A2AClient;
}

runEngineConformance("a2a", {
  stream: (source) => a2a({ url: "http://127.0.0.1:1/", connect: async () => localClient(source) }),
  ask: { answer: "the second one", create: (source) => a2a({ url: "http://127.0.0.1:1/", connect: async () => localClient(source, "Which one?") }) },
});

test("a remote agent that has not shown that it streams is a child that works, not a model that is silent", async () => {
  const { promise: later, resolve } = Promise.withResolvers<void>();
  async function* source() {
    yield "a";
    setTimeout(resolve, 150);
    await later;
    yield "b";
    yield "c";
  }
  const events = await collect(a2a({ url: "http://127.0.0.1:1/", connect: async () => localClient(source) }).run(testTurn("go"), { signal }));
  const told = events.flatMap((event) => (event.kind === "text" ? [event.text] : event.kind === "liveness" ? [event.signal.kind] : []));
  assert.deepEqual(told, ["child", "child", "a", "child", "b", "c"]);
});

test("characters that a remote agent cut are whole again, and half a character that has no other is U+FFFD", async () => {
  async function* source() {
    for (const text of ["a\ud83d", "\ude42b", "\ud83d", "c", "\ud83d"]) yield text;
  }
  const events = await collect(a2a({ url: "http://127.0.0.1:1/", connect: async () => localClient(source) }).run(testTurn("go"), { signal }));
  assert.equal(textsOf(events).join(""), "a\u{1f642}b\ufffdc");
  assert.ok(textsOf(events).every((text) => text.isWellFormed()));
  const asks = a2a({ url: "http://127.0.0.1:1/", connect: async () => localClient(source, "Which\ud83d?") });
  const asked = (await collect(asks.run(testTurn("go"), { signal }))).at(-1);
  assert.deepEqual(asked?.kind === "interrupt" && asked.message, [{ text: "Which\ufffd?" }]);
});

const { signal } = new AbortController();
const FAST: Partial<A2AEngineOptions> = { backoff: { baseMs: 5, maxMs: 50 }, poll: { baseMs: 20, maxMs: 100 } };
const script = (value: Script): string => JSON.stringify(value);

function last(events: readonly AgentEvent[]): AgentEvent {
  return events.at(-1) ?? assert.fail("no event");
}

/** What the engine makes of the remote agent, without what it tells of the liveness. */
async function relay(engine: Engine, turn: Turn): Promise<readonly AgentEvent[]> {
  return (await collect(engine.run(turn, { signal }))).filter(({ kind }) => kind !== "liveness");
}

for (const [version, binding] of [
  ["1.0", "JSONRPC"],
  ["1.0", "HTTP+JSON"],
  ["1.0", "GRPC"],
  ["0.3", "JSONRPC"],
  ["0.3", "HTTP+JSON"],
] as const) {
  const engineFor = (url: string): Engine => a2a({ url, bindings: [binding], ...FAST });

  test(`${binding} ${version}: as many text events as the agent sent chunks, the same strings in the same order, under its own artifact id`, async () => {
    await using server = await startSdkServer({ version });
    const chunks = numberedChunks(60);
    const events = await relay(engineFor(server.url), testTurn(script({ do: "chunks", chunks, text: "done" })));
    assert.deepEqual(textsOf(events), chunks);
    assert.ok(events.every((event) => event.kind !== "text" || event.artifact === "a1"));
    assert.deepEqual(last(events), { kind: "end", outcome: "completed", message: [{ text: "done" }] });
  });

  test(`${binding} ${version}: cut at random bytes, what is recorded is whole`, { timeout: 60_000 }, async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = createRandom(seed);
    await using proxy = await startCuttingProxy((connection) => (connection > 8 ? undefined : 3000 + Math.floor(random() * 5000)));
    await using server = await startSdkServer({ version, cardPort: proxy.port, cardGrpcPort: proxy.port });
    proxy.target = binding === "GRPC" ? server.grpcPort : server.port;
    const chunks = numberedChunks(120);
    const events = await relay(engineFor(server.url), testTurn(script({ do: "chunks", chunks, everyMs: 2 })));
    assert.ok(proxy.cuts > 0, `seed ${seed}: nothing was cut`);
    assert.equal(recorded(events), chunks.join(""), `seed ${seed}`);
    assert.deepEqual(last(events), { kind: "end", outcome: "completed" });
  });
}

async function withServer(
  options: SdkServerOptions,
  work: (engine: Engine, server: Awaited<ReturnType<typeof startSdkServer>>) => Promise<void>,
): Promise<void> {
  await using server = await startSdkServer(options);
  await work(a2a({ url: server.url, name: "sdk", ...FAST }), server);
}

test("a remote question ends the turn, and the answer goes on with the remote task", () =>
  withServer({}, async (engine, server) => {
    const asked = last(await relay(engine, testTurn(script({ do: "ask", chunks: ["a"] }))));
    assert.ok(asked.kind === "interrupt" && asked.reason === "input" && asked.state !== undefined);
    assert.deepEqual(asked.message, [{ text: "Which one?" }]);
    const state = JSON.parse(JSON.stringify(asked.state)) as NonNullable<Turn["state"]>;
    const current: Task = {
      id: "task-1",
      contextId: "context-1",
      status: { state: "TASK_STATE_WORKING" },
      artifacts: [{ artifactId: "a1", name: "answer", parts: [{ text: "a" }] }],
    };
    const answered = await relay(engine, testTurn(script({ do: "chunks", chunks: ["b", "c"] }), { state, current }));
    assert.deepEqual(textsOf(answered).length + answered.filter((event) => event.kind === "artifact").length, 2, "what turn 1 recorded is not repeated");
    assert.deepEqual(last(answered), { kind: "end", outcome: "completed" });
    assert.equal(server.received[1]?.taskId, (JSON.parse(state.data) as { readonly task: string }).task);
  }));

test("a remote AUTH_REQUIRED, failure and direct message end the turn as what they are", () =>
  withServer({}, async (engine, server) => {
    const auth = last(await relay(engine, testTurn(script({ do: "auth" }))));
    assert.ok(auth.kind === "interrupt" && auth.reason === "auth" && auth.state !== undefined);
    assert.deepEqual(last(await relay(engine, testTurn(script({ do: "fail" })))), { kind: "end", outcome: "failed", message: [{ text: "It broke" }] });
    assert.deepEqual(await relay(engine, testTurn(script({ do: "reply", text: "hi" }))), [
      { kind: "text", text: "hi", artifact: "answer" },
      { kind: "end", outcome: "completed" },
    ]);
    const direct = a2a({ url: server.url, replies: "message", ...FAST });
    assert.deepEqual(await relay(direct, testTurn(script({ do: "reply", text: "hi" }))), [{ kind: "reply", parts: [{ text: "hi" }] }]);
  }));

test("tokens in status messages are passed on, one event each", () =>
  withServer({}, async (engine) => {
    const chunks = numberedChunks(20);
    const events = await relay(engine, testTurn(script({ do: "status", chunks })));
    assert.deepEqual(
      events.flatMap((event) => (event.kind === "status" ? [event.message?.[0]?.text] : [])),
      chunks,
    );
  }));

test("an abort cancels the remote task; a turn that was only abandoned leaves it", async () => {
  for (const [reason, state] of [
    ["TURN_STOPPED", "TASK_STATE_CANCELED"],
    ["TURN_ABANDONED", "TASK_STATE_WORKING"],
  ] as const) {
    await withServer({}, async (engine, server) => {
      const abort = new AbortController();
      let remote = "";
      for await (const event of engine.run(testTurn(script({ do: "wait", chunks: ["a"] })), { signal: abort.signal })) {
        if (event.kind === "delegation") remote = event.task ?? "";
        if (event.kind === "text") abort.abort(new IasError("aborted", "stop", { reason }));
      }
      const response = async (): Promise<string> => {
        const body = { jsonrpc: "2.0", id: 1, method: "GetTask", params: { id: remote } };
        const answer = await fetch(`${server.url}/rpc`, {
          method: "POST",
          body: JSON.stringify(body),
          headers: { "content-type": "application/json", "a2a-version": "1.0" },
        });
        return ((await answer.json()) as { result: Task }).result.status.state;
      };
      // The cancel is not waited for by the turn; the abandoned one must still be working when the other would long be over.
      const until = Date.now() + (reason === "TURN_STOPPED" ? 10_000 : 300);
      let found = await response();
      while (found !== "TASK_STATE_CANCELED" && Date.now() < until) found = await response();
      assert.equal(found, state);
    });
  }
});

test("a turn that restarts follows the remote task: nothing is sent twice, and all of it is recorded", () =>
  withServer({}, async (engine, server) => {
    const chunks = numberedChunks(30);
    const input = [userMessage([{ text: script({ do: "chunks", chunks, everyMs: 5 }) }])];
    const abort = new AbortController();
    let state: Turn["state"];
    for await (const event of engine.run(testTurn("", { input }), { signal: abort.signal })) {
      if (event.kind === "checkpoint") state = event.state;
      if (event.kind === "text") abort.abort(new IasError("aborted", "killed", { reason: "TURN_ABANDONED" }));
    }
    assert.ok(state !== undefined);
    const again = await relay(a2a({ url: server.url, ...FAST }), testTurn("", { input, attempt: 2, epoch: 2, state }));
    assert.equal(recorded(again), chunks.join(""));
    assert.deepEqual(last(again), { kind: "end", outcome: "completed" });
    assert.equal(server.received.length, 1);
  }));

test("hops are counted and sent on; circles and long chains are refused before anything is sent", () =>
  withServer({}, async (engine, server) => {
    await relay(engine, testTurn(script({ do: "chunks", chunks: ["a"] })));
    const metadata = server.received[0]?.metadata as JsonObject;
    const own = metadata[EXTENSION_URI] as { readonly hops: readonly string[] };
    assert.equal(own.hops.length, 1);
    const circle = testTurn(script({ do: "reply", text: "x" }), { metadata });
    await assert.rejects(relay(engine, circle), (error) => error instanceof IasError && error.reason === "HOP_CYCLE");
    const long = testTurn(script({ do: "reply", text: "x" }), { metadata: { [EXTENSION_URI]: { hops: ["1", "2", "3", "4", "5", "6", "7", "8"] } } });
    await assert.rejects(relay(engine, long), (error) => error instanceof IasError && error.reason === "HOP_LIMIT");
    assert.equal(server.received.length, 1);
  }));

test("files of ours go out as bytes, and an agent's URLs as they are", () =>
  withServer({}, async (engine, server) => {
    const parts: Part[] = [
      { text: script({ do: "reply", text: "x" }) },
      { url: "ias-blob:abc?size=3", mediaType: "text/plain", filename: "f.txt" },
      { url: "https://example.com/f" },
    ];
    await relay(engine, testTurn("", { input: [userMessage(parts)], load: async () => Buffer.from("abc") }));
    assert.deepEqual(
      server.received[0]?.parts.slice(1).map((part) => part.content),
      [
        { $case: "raw", value: new Uint8Array([97, 98, 99]) },
        { $case: "url", value: "https://example.com/f" },
      ],
    );
  }));

test("an agent that cannot be reached fails the turn with a retryable error, and the next turn tries again", async () => {
  let tries = 0;
  const engine = a2a({
    url: "http://127.0.0.1:1/",
    connect: async () => {
      tries += 1;
      if (tries === 1) throw new IasError("unavailable", "down", { retryable: true });
      return localClient(async function* () {
        yield "up";
      });
    },
  });
  await assert.rejects(relay(engine, testTurn("go")), (error) => error instanceof IasError && error.retryable);
  assert.deepEqual(textsOf(await relay(engine, testTurn("go"))), ["up"]);
});
