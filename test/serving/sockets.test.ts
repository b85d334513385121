import assert from "node:assert/strict";
import { test } from "node:test";
import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import type { SocketEvent, StreamEntry } from "../../src/lib/model/api.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { openPageSocket } from "../support/page-socket.ts";
import { agentOf, rpcClient, serving } from "../support/serving.ts";
import { createRandom } from "../../src/lib/model/random.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);

/** Says as many tokens as the message asks for, of as many characters. */
const counter = agentOf(async function* (turn) {
  const [count = 0, size = 1] = (turn.input[0]?.parts[0]?.text ?? "").split(" ").map(Number);
  for (let n = 0; n < count; n += 1) yield { kind: "text", text: `${n} `.padStart(size) };
});

/** An agent that waits for `open`, then says five tokens. */
function gated() {
  const gate = Promise.withResolvers<void>();
  const agent = agentOf(async function* () {
    await gate.promise;
    for (let n = 0; n < 5; n += 1) yield { kind: "text", text: `${n} ` };
  });
  return { agent, open: gate.resolve };
}

/** A reader of all audiences has every entry once, and the tokens in order. */
function assertWhole(entries: readonly StreamEntry[], tokens: number): void {
  assert.deepEqual(
    entries.map(({ seq }) => seq),
    entries.map((_, index) => index + 1),
  );
  const text = entries.flatMap(({ event }) => ("artifactUpdate" in event ? event.artifactUpdate.artifact.parts.map((part) => part.text ?? "") : [])).join("");
  assert.deepEqual(
    text.trim().split(/\s+/),
    Array.from({ length: tokens }, (_, n) => String(n)),
  );
}

test("1,000 streams on one connection are live and whole; one more is refused", { timeout: 300_000 }, async (t) => {
  const { agent, open } = gated();
  const server = await serving(t, [agent], { limits: { maxParallelTurns: 2000 } });
  await using page = await openPageSocket(server.url);
  const streams = new Map<number, StreamEntry[]>();
  let sent = 0;
  const send = (): void => page.say({ op: "send", ref: sent, agent: "agent", body: { messageId: `m${(sent += 1)}`, parts: [{ text: "x" }] } });
  for (let n = 0; n < 50; n += 1) send();
  let ended = 0;
  const refused: SocketEvent[] = [];
  let opened = 0;
  for await (const event of page.events) {
    if (event.op === "reply") {
      page.say({ op: "subscribe", sub: event.ref, task: (event.result as { readonly task: string }).task, audience: "internal" });
      if (sent < 1001) send();
    }
    if (event.op === "error") refused.push(event);
    if (event.op === "opened") {
      streams.set(event.sub, []);
      opened += 1;
    }
    if (event.op === "entries") streams.get(event.sub)?.push(...event.entries);
    if (event.op === "end") ended += 1;
    if (opened === 1000 && refused.length === 1) open();
    if (ended === 1000) break;
  }
  assert.deepEqual(
    refused.map((event) => "error" in event && event.error.reason),
    ["TOO_MANY_STREAMS"],
  );
  assert.equal(streams.size, 1000);
  for (const entries of streams.values()) assertWhole(entries, 5);
});

test("of 50 readers ten read nothing: the others are not held up, and the server's memory does not grow with what waits", { timeout: 300_000 }, async (t) => {
  const server = await serving(t, [counter]);
  // 4 MB for each reader.
  const { task } = await rpcClient(`${server.url}/a2a/agent`).send("1000 4000");
  const pages = await Promise.all(Array.from({ length: 50 }, () => openPageSocket(server.url)));
  try {
    const slow = pages.slice(0, 10);
    const before = memory();
    for (const [n, page] of pages.entries()) {
      if (n < slow.length) page.ws.pause();
      page.say({ op: "subscribe", sub: 1, task: task.id, audience: "internal", credit: 1e9 });
    }
    for (const page of pages.slice(10)) {
      let last = 0;
      for await (const event of page.events) {
        if (event.op === "entries") {
          assert.equal(event.entries[0]?.seq, last + 1);
          last = event.entries.at(-1)?.seq ?? 0;
        }
        if (event.op === "end") break;
      }
      assert.ok(last > 1000);
    }
    const grown = memory() - before;
    assert.ok(grown < 15 * 1024 * 1024, `${grown} bytes for 10 readers with 40 MB before them`);
    for (const page of slow) {
      page.ws.resume();
      const entries: StreamEntry[] = [];
      for await (const event of page.events) {
        if (event.op === "entries") entries.push(...event.entries);
        if (event.op === "end") break;
      }
      assertWhole(entries, 1000);
    }
  } finally {
    for (const page of pages) await page[Symbol.asyncDispose]();
  }
});

test("of 50 subscriptions of one connection one has no credit: the others are not held up", { timeout: 120_000 }, async (t) => {
  const server = await serving(t, [counter]);
  const { task } = await rpcClient(`${server.url}/a2a/agent`).send("200 100");
  await using page = await openPageSocket(server.url);
  const streams = new Map<number, StreamEntry[]>();
  for (let sub = 0; sub < 50; sub += 1) page.say({ op: "subscribe", sub, task: task.id, audience: "internal", credit: sub === 7 ? 1 : 1e6 });
  let ended = 0;
  for await (const event of page.events) {
    if (event.op === "opened") streams.set(event.sub, []);
    if (event.op === "entries") streams.get(event.sub)?.push(...event.entries);
    if (event.op === "end") {
      ended += 1;
      if (ended === 49) {
        assert.notEqual(event.sub, 7);
        assert.ok((streams.get(7)?.length ?? 0) < 200);
        page.say({ op: "credit", sub: 7, bytes: 1e6 });
      }
      if (ended === 50) break;
    }
  }
  for (const entries of streams.values()) assertWhole(entries, 200);
});

test(
  `200 cuts at random bytes: three streams of a connection come back with their cursors, without a gap or a repeat (SEED=${SEED})`,
  { timeout: 300_000 },
  async (t) => {
    const random = createRandom(SEED);
    const server = await serving(t, [counter]);
    const client = rpcClient(`${server.url}/a2a/agent`);
    await using proxy = await startCuttingProxy((connection) => (connection < 200 ? 300 + Math.floor(random() * 60_000) : undefined));
    proxy.target = server.port;
    const streams = await Promise.all(
      [6000, 5000, 4000].map(async (tokens) => ({
        tokens,
        task: (await client.send(`${tokens} 40`)).task.id,
        entries: [] as StreamEntry[],
        cursor: "0",
        isOver: false,
      })),
    );
    let logId = "";
    while (streams.some(({ isOver }) => !isOver)) {
      const page = await openPageSocket(`http://127.0.0.1:${proxy.port}`).catch(() => undefined);
      if (page === undefined) continue;
      for (const [sub, stream] of streams.entries()) {
        const after = stream.cursor === "0" ? {} : { after: stream.cursor };
        if (!stream.isOver) page.say({ op: "subscribe", sub, task: stream.task, audience: "internal", credit: 1e9, ...after });
      }
      for await (const event of page.events) {
        if (event.op === "hello") logId = event.logId;
        if (event.op === "error") throw new Error(event.error.message);
        const stream = "sub" in event ? streams[event.sub] : undefined;
        if (stream === undefined) continue;
        if (event.op === "opened") assert.equal(event.stream.opening, stream.cursor === "0" ? "fresh" : "resume");
        if (event.op === "entries") {
          stream.entries.push(...event.entries);
          stream.cursor = event.cursor;
        }
        if (event.op === "end") stream.isOver = true;
        if (streams.every(({ isOver }) => isOver)) break;
      }
      await page[Symbol.asyncDispose]();
    }
    assert.match(streams[0]?.cursor ?? "", new RegExp(`^${logId}\\.`));
    for (const { entries, tokens } of streams) assertWhole(entries, tokens);
    assert.equal(proxy.cuts, 200);
  },
);

/** Bytes in use once what is garbage is gone. */
function memory(): number {
  setFlagsFromString("--expose-gc");
  const collect = runInNewContext("gc") as () => void;
  collect();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}
