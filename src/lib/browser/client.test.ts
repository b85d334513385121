import assert from "node:assert/strict";
import { setImmediate as turn } from "node:timers/promises";
import test, { type TestContext } from "node:test";
import { startCuttingProxy } from "../../../test/support/cutting-proxy.ts";
import { agentOf, collect, serving } from "../../../test/support/serving.ts";
import type { Server } from "../main/server.ts";
import type { StreamEntry } from "../model/api.ts";
import type { Client, ClientOptions, ConnectionState } from "./client.ts";
import { ClientError } from "./client-error.ts";
import { createClient } from "./create-client.ts";
import { createRandom } from "../model/random.ts";

/** A server whose agent says as many tokens as it is told, with a breath after each. */
async function setUp(t: TestContext): Promise<Server> {
  return serving(t, [
    agentOf(
      async function* ({ input }) {
        const count = Number(input[0]?.parts[0]?.text);
        for (let n = 0; n < count; n += 1) {
          yield { kind: "text", text: `token ${n} ` };
          if (n % 10 === 0) await turn();
        }
      },
      { inputModes: ["*/*"] },
    ),
  ]);
}

function clientOf(t: TestContext, baseUrl: string, options: ClientOptions = {}): Client {
  const client = createClient({ baseUrl, backoff: { baseMs: 1, maxMs: 4 }, ...options });
  t.after(() => client.close());
  return client;
}

async function sent(client: Client, text: string): Promise<string> {
  const reply = await client.send("agent", text);
  return "task" in reply ? reply.task : assert.fail("no task");
}

const seqs = (entries: readonly StreamEntry[]): number[] => entries.map(({ seq }) => seq);

async function thrown(work: Promise<unknown>): Promise<ClientError> {
  const error = await work.then(
    () => assert.fail("it did not throw"),
    (reason: unknown) => reason,
  );
  assert.ok(error instanceof ClientError, String(error));
  return error;
}

for (const transport of ["sse", "websocket"] as const) {
  test(`${transport}: a task's entries come in order until its end, from the first or after a cursor`, async (t) => {
    const client = clientOf(t, (await setUp(t)).url, { transport });
    const task = await sent(client, "50");
    const stream = client.stream(task, { audience: "internal" });
    const entries = await collect(stream);
    assert.deepEqual(
      seqs(entries),
      entries.map((_, index) => index + 1),
    );
    const texts = entries.flatMap(({ event }) => ("artifactUpdate" in event ? event.artifactUpdate.artifact.parts.map(({ text }) => text) : []));
    assert.equal(texts.join(""), Array.from({ length: 50 }, (_, n) => `token ${n} `).join(""));
    assert.deepEqual(await collect(client.stream(task, { after: stream.cursor ?? "" })), [], "nothing follows the end");
    const half = client.stream(task, { audience: "internal" });
    const first: StreamEntry[] = [];
    for await (const entry of half) if (first.push(entry) === 5) break;
    const rest = await collect(client.stream(task, { after: half.cursor ?? "0", audience: "internal" }));
    assert.ok(new Set([...seqs(first), ...seqs(rest)]).size === entries.length, "a cursor loses nothing");
  });

  test(`${transport}: of a connection that is cut 200 times at random bytes no entry is missing and none comes twice`, async (t) => {
    const seed = Date.now() & 0xffff;
    t.diagnostic(`seed ${seed}`);
    const random = createRandom(seed);
    const server = await setUp(t);
    // A message of a socket is up to 32 KiB, about 2 KB compressed, and comes whole or not at all.
    const most = transport === "sse" ? 9000 : 7000;
    const proxy = await startCuttingProxy(() => Math.floor(100 + random() ** 2 * most));
    proxy.target = server.port;
    t.after(() => proxy[Symbol.asyncDispose]());
    const direct = clientOf(t, server.url, { transport });
    const cut = clientOf(t, `http://127.0.0.1:${proxy.port}`, { transport });
    for (let run = 0; proxy.cuts < 200; run += 1) {
      const task = await sent(direct, "600");
      const states: ConnectionState[] = [];
      const openings: string[] = [];
      const got = await collect(cut.stream(task, { onConnection: (state) => states.push(state), onOpened: ({ opening }) => openings.push(opening) }));
      const all = await collect(direct.stream(task));
      assert.deepEqual(got, all, `run ${run}`);
      assert.ok(states.some(({ kind }) => kind === "lost") && openings.includes("resume"), `run ${run} was cut`);
    }
  });

  test(`${transport}: of a feed over connections that are cut 60 times every task is whole, and nothing comes twice`, async (t) => {
    const seed = Date.now() & 0xffff;
    t.diagnostic(`seed ${seed}`);
    const random = createRandom(seed);
    const server = await setUp(t);
    const proxy = await startCuttingProxy((connection) => (connection < 60 ? Math.floor(100 + random() * 40_000) : undefined));
    proxy.target = server.port;
    t.after(() => proxy[Symbol.asyncDispose]());
    const direct = clientOf(t, server.url, { transport });
    const cut = clientOf(t, `http://127.0.0.1:${proxy.port}`, { transport });
    const tasks = new Set(await Promise.all(Array.from({ length: 20 }, () => sent(direct, "200"))));
    const got = new Map<string, StreamEntry[]>();
    const unfinished = new Set(tasks);
    for await (const { task, entries } of cut.feed({ after: "0", audience: "internal" })) {
      got.set(task, [...(got.get(task) ?? []), ...entries]);
      const last = entries.at(-1)?.event;
      if (last !== undefined && "statusUpdate" in last && last.statusUpdate.status.state === "TASK_STATE_COMPLETED") unfinished.delete(task);
      if (unfinished.size === 0 && (proxy.cuts >= 60 || tasks.size === 200)) break;
      if (unfinished.size === 0) {
        const more = await sent(direct, "200");
        tasks.add(more);
        unfinished.add(more);
      }
    }
    for (const task of tasks) assert.deepEqual(got.get(task), await collect(direct.stream(task, { audience: "internal" })));
    t.diagnostic(`${tasks.size} tasks, ${proxy.cuts} cuts`);
    assert.ok(proxy.cuts >= 40, `${proxy.cuts} cuts`);
  });

  test(`${transport}: errors that no retry mends end a stream at once`, async (t) => {
    const client = clientOf(t, (await setUp(t)).url, { transport });
    const states: ConnectionState[] = [];
    const error = await thrown(collect(client.stream("none", { onConnection: (state) => states.push(state) })));
    assert.deepEqual([error.code, error.retryable, states], ["task-not-found", false, []]);
    assert.equal((await thrown(client.send("nobody", "hi"))).code, "not-found");
  });

  test(`${transport}: a server that is gone is tried again as often as is wished`, async (t) => {
    const server = await setUp(t);
    const client = clientOf(t, server.url, { transport, maxReconnects: 3 });
    const task = await sent(client, "1");
    await server[Symbol.asyncDispose]();
    const attempts: number[] = [];
    const error = await thrown(collect(client.stream(task, { onConnection: (state) => state.kind === "lost" && attempts.push(state.attempt) })));
    assert.deepEqual([error.code, error.retryable, attempts], ["unavailable", true, [1, 2, 3]]);
  });

  test(`${transport}: a stream ends with its signal, and with the client`, async (t) => {
    const server = await serving(t, [
      agentOf(async function* (_, signal) {
        yield { kind: "text", text: "a" };
        await new Promise((resolve) => signal.addEventListener("abort", resolve));
      }),
    ]);
    const client = clientOf(t, server.url, { transport });
    const task = await sent(client, "go");
    const controller = new AbortController();
    const seen: number[] = [];
    const reading = (async () => {
      for await (const { seq } of client.stream(task, { signal: controller.signal })) if (seen.push(seq) === 3) controller.abort(new Error("enough"));
    })();
    await assert.rejects(reading, /enough/);
    const other = client.stream(task)[Symbol.asyncIterator]();
    await other.next();
    const waiting = (async () => {
      while ((await other.next()).done !== true);
    })();
    client.close();
    assert.equal((await thrown(waiting)).code, "aborted");
  });
}

test("a lost stream waits longer each time up to the longest wait, half of it random, and from the beginning again after news", async (t) => {
  const server = await setUp(t);
  const backoff = { baseMs: 8, maxMs: 40 };
  let isDown = false;
  let cutNext = false;
  const flaky: typeof fetch = async (input, init) => {
    if (isDown) throw new TypeError("down");
    const response = await fetch(input, init);
    if (!cutNext || response.body === null) return response;
    cutNext = false;
    isDown = true;
    // Some entries, and then no more.
    const reader = response.body.getReader();
    const pieces: Uint8Array[] = [];
    while (!Buffer.concat(pieces).includes("id: ")) pieces.push((await reader.read()).value ?? assert.fail("it ended"));
    return new Response(Buffer.concat(pieces), { status: 200, headers: response.headers });
  };
  const client = clientOf(t, server.url, { transport: "sse", fetch: flaky, backoff, maxReconnects: 6 });
  const task = await sent(client, "2000");
  const waits: (readonly [number, number])[] = [];
  let opened = 0;
  const watch = {
    onConnection(state: ConnectionState) {
      if (state.kind === "open") {
        opened += 1;
        return;
      }
      // Back after three tries, cut off after some entries, and then gone for good.
      if (waits.push([state.attempt, state.retryInMs]) === 3) [isDown, cutNext] = [false, true];
    },
  };
  isDown = true;
  const began = performance.now();
  assert.equal((await thrown(collect(client.stream(task, watch)))).code, "unavailable");
  assert.deepEqual([opened, waits.map(([attempt]) => attempt)], [1, [1, 2, 3, 1, 2, 3, 4, 5, 6]]);
  for (const [attempt, wait] of waits) {
    const full = Math.min(backoff.maxMs, backoff.baseMs * 2 ** (attempt - 1));
    assert.ok(wait >= full / 2 - 1 && wait <= full + 1, `${wait} at attempt ${attempt}`);
  }
  const all = waits.reduce((sum, [, wait]) => sum + wait, 0);
  assert.ok(performance.now() - began >= all - waits.length, "it has waited as long as it said");
});

test("more streams than connections take turns, and each ends whole", async (t) => {
  const server = await setUp(t);
  let open = 0;
  let most = 0;
  const counting: typeof fetch = async (input, init) => {
    const response = await fetch(input, init);
    if (typeof input !== "string" || !input.includes("/events") || response.body === null) return response;
    most = Math.max(most, (open += 1));
    init?.signal?.addEventListener("abort", () => (open -= 1), { once: true });
    return response;
  };
  const client = clientOf(t, server.url, { transport: "sse", fetch: counting, maxConnections: 3 });
  const tasks = await Promise.all(Array.from({ length: 20 }, () => sent(client, "100")));
  const all = await Promise.all(tasks.map((task) => collect(client.stream(task, { audience: "internal" }))));
  for (const entries of all)
    assert.deepEqual(
      seqs(entries),
      entries.map((_, index) => index + 1),
    );
  assert.ok(most <= 3, `${most} at once`);
});

test("what is sent while the connection breaks is taken once", async (t) => {
  const server = await setUp(t);
  let calls = 0;
  const flaky: typeof fetch = async (input, init) => {
    calls += 1;
    const response = await fetch(input, init);
    if (calls > 1) return response;
    await response.arrayBuffer();
    throw new TypeError("the answer was lost");
  };
  const client = clientOf(t, server.url, { fetch: flaky });
  const task = await sent(client, "1");
  const { tasks, total } = await client.tasks();
  assert.deepEqual([tasks.map((one) => one.task), total, calls], [[task], 1, 3]);
});

test("calls: session, agents, tasks, conversations, cancel, uploads", async (t) => {
  const client = clientOf(t, (await setUp(t)).url);
  assert.equal((await client.session()).principal.user, "local");
  assert.deepEqual(
    (await client.agents()).map(({ id }) => id),
    ["agent"],
  );
  const task = await sent(client, "1");
  await collect(client.stream(task));
  const detail = await client.task(task, { agent: "agent" });
  assert.deepEqual([detail.state, detail.sealed], ["TASK_STATE_COMPLETED", true]);
  assert.equal((await client.conversations({ agent: "agent" })).conversations[0]?.context, detail.context);
  assert.equal((await thrown(client.cancel(task))).code, "task-not-cancelable");
  const file = await client.upload(new File(["hello"], "hello.txt", { type: "text/plain" }));
  assert.equal(file.mediaType, "text/plain");
});
