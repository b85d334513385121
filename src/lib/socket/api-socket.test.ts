import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it, test } from "node:test";
import { WebSocket } from "ws";
import { is, openPageSocket, type PageSocket } from "../../../test/support/page-socket.ts";
import { agentOf, rpcClient, serving } from "../../../test/support/serving.ts";
import type { StreamEntry } from "../model/api.ts";

const counter = agentOf(async function* (turn) {
  const count = Number(turn.input[0]?.parts[0]?.text ?? 3);
  for (let n = 0; n < count; n += 1) yield { kind: "text", text: `${n} ` };
});

/** All entries of a subscription, to its end. */
async function readAll(page: PageSocket, sub: number): Promise<StreamEntry[]> {
  const entries: StreamEntry[] = [];
  for (;;) {
    const event = await page.next((each): each is typeof each => "sub" in each && each.sub === sub);
    if (event.op === "entries") entries.push(...event.entries);
    if (event.op === "error") throw new Error(event.error.message);
    if (event.op === "end") return entries;
  }
}

function textOf(entries: readonly StreamEntry[]): string {
  return entries.flatMap(({ event }) => ("artifactUpdate" in event ? event.artifactUpdate.artifact.parts.map((part) => part.text ?? "") : [])).join("");
}

describe("/api/ws", () => {
  it("greets, gives a stream from its first entry or after a cursor, and says when it is over", async (t) => {
    const server = await serving(t, [counter]);
    const { task } = await rpcClient(`${server.url}/a2a/agent`).send("5");
    await using page = await openPageSocket(server.url);
    const hello = await page.next(is("hello"));
    assert.deepEqual([hello.maxSubscriptions, hello.defaultCredit], [1000, 256 * 1024]);
    page.say({ op: "subscribe", sub: 7, task: task.id });
    const { stream } = await page.next(is("opened", 7));
    assert.deepEqual([stream.agent, stream.task, stream.opening, stream.cursor], ["agent", task.id, "fresh", `${hello.logId}.0`]);
    const all = await readAll(page, 7);
    assert.equal(all[0]?.seq, 1);
    assert.equal(textOf(all), "0 1 2 3 4 ");

    page.say({ op: "subscribe", sub: 7, task: task.id, agent: "agent", after: `${hello.logId}.4`, audience: "internal" });
    assert.equal((await page.next(is("opened", 7))).stream.opening, "resume");
    const rest = await readAll(page, 7);
    assert.deepEqual(
      rest.map(({ seq }) => seq),
      Array.from({ length: rest.length }, (_, index) => index + 5),
    );
    page.say({ op: "subscribe", sub: 8, task: task.id, after: "otherlog.4" });
    assert.equal((await page.next(is("opened", 8))).stream.opening, "reset");
  });

  it("names the subscription or the request in an error, and goes on", async (t) => {
    const server = await serving(t, [counter]);
    const { task } = await rpcClient(`${server.url}/a2a/agent`).send("1");
    await using page = await openPageSocket(server.url);
    page.say({ op: "subscribe", sub: 1, task: "none" });
    assert.equal((await page.next(is("error", 1))).error.code, "task-not-found");
    page.say({ op: "subscribe", sub: 2, task: task.id, credit: 0 });
    page.say({ op: "subscribe", sub: 2, task: task.id });
    assert.equal((await page.next(is("error", 2))).error.reason, "SUBSCRIPTION_OPEN");
    page.say({ op: "credit", sub: 99, bytes: 1 });
    page.say({ op: "ping", ref: 5 });
    assert.equal((await page.next(is("pong"))).ref, 5);
    page.say({ op: "unsubscribe", sub: 2 });
    await page.next(is("end", 2));
    page.say({ op: "subscribe", sub: 2, task: task.id });
    assert.equal(textOf(await readAll(page, 2)), "0 ");
  });

  it("sends no more than the credit and one message over, and goes on when there is more", async (t) => {
    const server = await serving(t, [counter]);
    const { task } = await rpcClient(`${server.url}/a2a/agent`).send("4000");
    await using page = await openPageSocket(server.url);
    page.say({ op: "subscribe", sub: 1, task: task.id, credit: 1 });
    const seqs: number[] = [];
    let size = 0;
    for await (const event of page.events) {
      if (event.op === "entries") {
        assert.equal(size, 0, "a message without credit");
        size = JSON.stringify(event).length;
        seqs.push(...event.entries.map(({ seq }) => seq));
        // Had anything more been sent without credit, it would come before the pong.
        page.say({ op: "ping", ref: 1 });
      }
      if (event.op === "pong") {
        page.say({ op: "credit", sub: 1, bytes: size });
        size = 0;
      }
      if (event.op === "end") break;
    }
    // Entry 2 is the message as the turn's input, which is internal.
    assert.deepEqual(seqs, [1, ...Array.from({ length: seqs.length - 1 }, (_, index) => index + 3)]);
    assert.ok(seqs.length > 4000);
  });
});

test("a reader whose window is smaller than a message is told what is missing, and has all of it by that", async (t) => {
  const server = await serving(t, [counter]);
  const { task } = await rpcClient(`${server.url}/a2a/agent`).send("1000");
  await using page = await openPageSocket(server.url);
  page.say({ op: "subscribe", sub: 1, task: task.id, credit: 0, audience: "internal" });
  const entries: StreamEntry[] = [];
  let blocked = 0;
  let last = 0;
  for await (const event of page.events) {
    if (event.op === "blocked") {
      assert.equal(event.sub, 1);
      blocked += 1;
      assert.ok(blocked === 1 ? event.missing === 1 : event.missing === last || event.missing === 1, `${event.missing} of ${last}`);
      // Not enough at first: it is told again.
      page.say({ op: "credit", sub: 1, bytes: Math.max(1, event.missing - 1) });
    }
    if (event.op === "entries") {
      entries.push(...event.entries);
      last = Buffer.byteLength(JSON.stringify(event));
    }
    if (event.op === "end") break;
  }
  assert.equal(textOf(entries).trim().split(" ").length, 1000);
  assert.ok(blocked > 3);
});

test("the end of a stream needs no credit", async (t) => {
  const server = await serving(t, [counter]);
  const { task } = await rpcClient(`${server.url}/a2a/agent`).send("3");
  await using page = await openPageSocket(server.url);
  page.say({ op: "subscribe", sub: 1, task: task.id, credit: 1, audience: "internal" });
  assert.equal(textOf(await readAll(page, 1)), "0 1 2 ");
});

test("one subscription too many is an error of its own, and the others go on", async (t) => {
  const gate = Promise.withResolvers<void>();
  const patient = agentOf(async function* () {
    await gate.promise;
    yield { kind: "text", text: "at last " };
  });
  const server = await serving(t, [patient], { limits: { maxSocketStreams: 2 } });
  await using page = await openPageSocket(server.url);
  assert.equal((await page.next(is("hello"))).maxSubscriptions, 2);
  page.say({ op: "send", ref: 1, agent: "agent", body: { messageId: "m", parts: [{ text: "go" }] } });
  const { task } = (await page.next(is("reply"))).result as { readonly task: string };
  for (const sub of [1, 2, 3]) page.say({ op: "subscribe", sub, task });
  const { error } = await page.next(is("error", 3));
  assert.deepEqual([error.code, error.reason], ["limit-reached", "TOO_MANY_STREAMS"]);
  assert.match(error.message, /^2 subscriptions are open on this connection \(maxSocketStreams\)/);
  page.say({ op: "unsubscribe", sub: 2 });
  await page.next(is("end", 2));
  page.say({ op: "subscribe", sub: 3, task });
  await page.next(is("opened", 3));
  gate.resolve();
  assert.equal(textOf(await readAll(page, 1)), "at last ");
});

test("a feed up to now ends by itself, also over a socket", async (t) => {
  const server = await serving(t, [counter]);
  const { task } = await rpcClient(`${server.url}/a2a/agent`).send("2000");
  await using page = await openPageSocket(server.url);
  page.say({ op: "subscribe-feed", sub: 1, live: false, credit: 1e9 });
  const entries: StreamEntry[] = [];
  let longest = 0;
  for (;;) {
    const event = await page.next((each): each is typeof each => each.op === "feed" || each.op === "end");
    if (event.op === "feed") {
      longest = Math.max(longest, JSON.stringify(event).length);
      for (const frame of event.frames) {
        assert.equal(frame.task, task.id);
        entries.push(...frame.entries);
      }
    }
    if (event.op === "end") break;
  }
  assert.equal(textOf(entries).trim().split(" ").length, 2000);
  // 32 KiB of events, and what stands around each: no other subscription waits for more.
  assert.ok(longest > 16 * 1024 && longest < 64 * 1024, String(longest));
  page.say({ op: "subscribe-feed", sub: 2, live: false, after: "0" });
  assert.equal((await page.next(is("error", 2))).error.code, "invalid-params");
});

test("a feed that goes on is left at once, whether it waits for what comes or for credit, and its reader is gone", async (t) => {
  const server = await serving(t, [counter]);
  await using page = await openPageSocket(server.url);
  page.say({ op: "subscribe-feed", sub: 1, after: "0" });
  await page.next(is("feed", 1));
  page.say({ op: "unsubscribe", sub: 1 });
  await page.next(is("end", 1));
  await rpcClient(`${server.url}/a2a/agent`).send("2000");
  page.say({ op: "subscribe-feed", sub: 1, after: "0", credit: 1 });
  await page.next(is("blocked", 1));
  const readers = async (): Promise<readonly unknown[]> => (await (await fetch(`${server.url}/api/readers`)).json()) as unknown[];
  assert.equal((await readers()).length, 1);
  page.say({ op: "unsubscribe", sub: 1 });
  await page.next(is("end", 1));
  while ((await readers()).length > 0);
});

test("what catches up is compressed for a client that takes it, what is live is not", async (t) => {
  const server = await serving(t, [counter]);
  const { task } = await rpcClient(`${server.url}/a2a/agent`).send("3000");
  const wire: number[] = [];
  const texts: string[] = [];
  for (const compression of [false, true]) {
    await using page = await openPageSocket(server.url, { compression });
    page.say({ op: "subscribe", sub: 1, task: task.id, credit: 1e9 });
    texts.push(textOf(await readAll(page, 1)));
    wire.push(page.bytesRead());
    assert.equal(page.ws.extensions === "", !compression);
    const before = page.bytesRead();
    page.say({ op: "ping", ref: 1 });
    await page.next(is("pong"));
    assert.equal(page.bytesRead() - before, 2 + JSON.stringify({ op: "pong", ref: 1 }).length);
  }
  assert.equal(texts[0], texts[1]);
  assert.ok((wire[1] ?? 0) < (wire[0] ?? 0) / 8, String(wire));
});

test("clients that bound the window, as Python's do, are compressed for too", async (t) => {
  const server = await serving(t, [counter]);
  const ws = new WebSocket(`${server.url.replace("http", "ws")}/api/ws`, "ias.api.v1", {
    perMessageDeflate: { serverMaxWindowBits: 12, clientMaxWindowBits: 12 },
  });
  t.after(() => ws.terminate());
  await once(ws, "open");
  assert.equal(ws.extensions, "permessage-deflate");
});

test("a message is sent and a task canceled over the connection that shows their stream", async (t) => {
  const patient = agentOf(async function* (_, signal) {
    yield { kind: "text", text: "working " };
    await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
  });
  const server = await serving(t, [patient]);
  await using page = await openPageSocket(server.url);
  page.say({ op: "send", ref: 1, agent: "agent", body: { messageId: "m", parts: [{ text: "go" }] } });
  const { result } = await page.next(is("reply"));
  const sent = result as { readonly task: string; readonly cursor: string };
  page.say({ op: "subscribe", sub: 1, task: sent.task, after: sent.cursor });
  await page.next((event): event is typeof event => event.op === "entries" && textOf(event.entries).includes("working"));
  page.say({ op: "send", ref: 2, agent: "agent", body: { messageId: "m", parts: [{ text: "go" }] } });
  assert.equal(((await page.next(is("reply"))).result as { readonly task: string }).task, sent.task);
  page.say({ op: "cancel", ref: 3, task: sent.task });
  const ended = new Set<string>();
  while (ended.size < 2) {
    const event = await page.next((each): each is typeof each => each.op === "reply" || each.op === "end");
    ended.add(event.op);
    if (event.op === "reply") assert.equal((event.result as { readonly state: string }).state, "TASK_STATE_CANCELED");
  }
  page.say({ op: "send", ref: 4, agent: "nobody", body: { messageId: "m", parts: [{ text: "go" }] } });
  const refused = await page.next(is("error"));
  assert.deepEqual([refused.ref, refused.error.code], [4, "not-found"]);
});

const BAD: readonly (readonly [string | Buffer, RegExp])[] = [
  ["not json", /JSON/],
  ["[]", /JSON object/],
  ["null", /object/],
  ['{"op":"dance"}', /op must be one of subscribe, /],
  ['{"op":"subscribe","sub":1}', /task/],
  ['{"op":"subscribe","sub":-1,"task":"t"}', /sub/],
  ['{"op":"credit","sub":1,"bytes":1.5}', /bytes/],
  ['{"op":"subscribe","sub":1,"task":"t","audience":"everyone"}', /audience/],
  [`${"[".repeat(100)}${"]".repeat(100)}`, /nested deeper/],
  [Buffer.from('{"op":"ping","ref":1}'), /text, not binary/],
];

test("a message that is none ends the connection with 4400 and a reason", async (t) => {
  const server = await serving(t, [counter]);
  for (const [text, reason] of BAD) {
    await using page = await openPageSocket(server.url);
    page.raw(text);
    const closed = await page.closed;
    assert.equal(closed.code, 4400, String(text));
    assert.match(closed.reason, reason);
  }
});

for (const compression of [false, true])
  test(`long messages that never end are held up to maxBufferedBytes in all, and then cut off${compression ? ", compressed ones as what they may become" : ""}`, async (t) => {
    const server = await serving(t, [counter], { limits: { maxBufferedBytes: 1024 * 1024, ...(compression && { maxSocketMessageBytes: 256 * 1024 }) } });
    const codes: number[] = [];
    const sockets = await Promise.all(
      Array.from({ length: 4 }, async () => {
        const page = await openPageSocket(server.url, { compression });
        void page.closed.then(({ code }) => codes.push(code));
        return page;
      }),
    );
    t.after(() => sockets.map(({ ws }) => ws.terminate()));
    const gone = Promise.race(sockets.map(({ closed }) => closed));
    for (const { ws } of sockets) ws.send("x".repeat(400 * 1024), { fin: false });
    assert.equal((await gone).code, 1013);
    // Small ones get through all the while.
    await using page = await openPageSocket(server.url);
    page.say({ op: "ping", ref: 1 });
    await page.next(is("pong"));
    assert.ok(codes.length < 4, "those that fit stay");
  });
