import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { test } from "node:test";
import { jsonRpcClient } from "../bindings/clients.ts";
import { chunkText, type CountRequest, countText } from "../servers/proof-agents.ts";
import { type BuiltServer, startBuiltServer } from "../support/built-server.ts";
import { cursorOf, foldText, readByCursor, type Reading, textOfTask, textsOf } from "../support/cursor-reader.ts";
import { messageOf } from "../support/messages.ts";
import { rawClient, READERS, readTexts } from "../support/readers.ts";
import { EXTENDED } from "../support/serving.ts";
import { startServerProcess, temporaryFolder } from "../support/server-process.ts";

type Served = Pick<BuiltServer, "url" | "grpcPort">;

test("50 readers that join during a burst, over all bindings, get every entry once, in order, and the text of GetTask", { timeout: 300_000 }, async () => {
  await using folder = await temporaryFolder();
  await using server = await startServerProcess(folder.path);
  // The end is held until all have joined.
  const size = { n: 2000, ms: 1, hold: 1900 };
  const { task, zero } = await start(server, "count", size);
  const text = countText(1, size);
  const readings: Promise<Reading>[] = [];
  const texts: Promise<string>[] = [];
  const opened: Promise<void>[] = [];
  const join = (number: number): void => {
    const name = READERS[number % READERS.length] ?? "JSONRPC";
    const open = Promise.withResolvers<void>();
    opened.push(open.promise);
    if (name === "0.3 JSONRPC" || name === "0.3 HTTP+JSON") texts.push(joined(readTexts(server, "count", name, task), open.resolve));
    else readings.push(readByCursor({ connect: () => rawClient(server, "count", name), task, ...(number % 2 === 0 && { after: zero }), onOpen: open.resolve }));
  };
  // One more with each 30 entries that the first one sees.
  const first = readByCursor({
    connect: () => rawClient(server, "count", "JSONRPC"),
    task,
    after: zero,
    onSeen({ seq }) {
      if (seq % 30 === 0 && opened.length < 49) join(opened.length);
      if (seq === size.hold + 3) void Promise.all(opened).then(() => server.tell("go"));
    },
  });
  const reference = (await first).seen;
  assert.equal(opened.length, 49);
  for (const reading of await Promise.all(readings)) {
    const from = reading.opening?.seq ?? 0;
    assert.deepEqual(
      reading.seen,
      reference.filter(({ seq }) => seq > from),
    );
    assert.equal(foldText(reading), text);
  }
  for (const got of await Promise.all(texts)) assert.equal(got, text);
  assert.equal(textOfTask(await jsonRpcClient(`${server.url}/a2a/count`).call("GetTask", { id: task })), text);
});

for (const name of READERS) {
  test(`lock step over ${name}: with SQLite in another process, token n + 1 is made only after token n was seen`, { timeout: 120_000 }, async () => {
    await using folder = await temporaryFolder();
    await using server = await startServerProcess(folder.path);
    const size = { n: 100 };
    const { task } = await start(server, "steps", size);
    let text = "";
    let saw = 0;
    for await (const piece of readTexts(server, "steps", name, task)) {
      text += piece;
      while (text.includes(`1:${saw} `)) server.tell(`saw ${(saw += 1) - 1}`);
    }
    assert.equal(text, countText(1, size));
  });
}

test("a server stays small while a reader stalls on a stream of 300 MB, and the reader gets it all when it goes on", { timeout: 580_000 }, async (t) => {
  await using folder = await temporaryFolder();
  // As users run it: nothing is set.
  await using server = await startBuiltServer(folder.path, LONG_AGENT);
  const size = { n: 9700, chars: 31_000 };
  const { task, zero } = await start(server, "rolling", size);
  const late = await subscribe(server, "rolling", task, zero);
  // Who reads gets everything while it stalls.
  assert.equal(await countChunks(server, task, zero, size), size.n);
  const whileStalled = server.peakBytes();
  await readToTheEnd(late, size.n);
  const inAll = server.peakBytes();
  t.diagnostic(`at most ${whileStalled} bytes while it stalled, ${inAll} in all`);
  // docs/decisions/051-memory.md
  assert.ok(inAll < 150_000_000, `the server had ${inAll} bytes, ${whileStalled} while the reader stalled`);
});

test("readers that stall on a stream of 300 MB over all bindings are not held in memory, and hold nobody up", { timeout: 580_000 }, async () => {
  await using folder = await temporaryFolder();
  // Whoever holds the stream, or a good part of it, runs out of a heap of 64 MB and ends.
  await using server = await startServerProcess(folder.path, { nodeOptions: ["--max-old-space-size=64", "--max-semi-space-size=2"] });
  const size = { n: 9700, chars: 31_000 };
  const { task, zero } = await start(server, "rolling", size);
  const [late, left] = await Promise.all([subscribe(server, "rolling", task, zero), subscribe(server, "rolling", task, zero)]);
  const grpc = rawClient(server, "rolling", "GRPC").stream("SubscribeToTask", { id: task }, {})[Symbol.asyncIterator]();
  assert.ok((await grpc.next()).value?.event.task);
  assert.equal(await countChunks(server, task, zero, size), size.n);
  await readToTheEnd(late, size.n);
  left.destroy();
  await grpc.return?.();
});

/** The agent `rolling` of `proof-agents.ts`, in JavaScript: to strip types takes 30 MB, which are not the server's. */
const LONG_AGENT = `
export const agents = [{
  id: "rolling",
  maxArtifactBytes: { limit: 1024 * 1024, policy: "roll" },
  engine: {
    async *run(turn) {
      const { n, chars } = JSON.parse(turn.input.at(-1).parts[0].text);
      for (let index = 0; index < n; index += 1) {
        yield { kind: "text", text: chunkText(1, index, chars) };
        if (index % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
      }
    },
  },
}];
${chunkText.toString()}
`;

/** Reads an answer that nobody has read so far: every frame comes. */
async function readToTheEnd(response: IncomingMessage, entries: number): Promise<void> {
  let frames = 0;
  let last = "";
  for await (const chunk of response) {
    last = (last + String(chunk)).slice(-1000);
    for (let at = String(chunk).indexOf("\ndata: "); at >= 0; at = String(chunk).indexOf("\ndata: ", at + 1)) frames += 1;
  }
  assert.match(last, /TASK_STATE_COMPLETED/);
  // A frame's mark may lie across two pieces.
  assert.ok(frames > entries * 0.9 && frames <= entries + 3, `${frames} frames`);
}

async function start(server: Served, agent: string, size: CountRequest): Promise<{ readonly task: string; readonly zero: string }> {
  const client = jsonRpcClient(`${server.url}/a2a/${agent}`);
  const sent = await client.call("SendMessage", { message: messageOf(JSON.stringify(size)), configuration: { returnImmediately: true } });
  return { task: sent.task.id, zero: `${cursorOf({ event: sent }).split(".")[0]}.0` };
}

async function joined(texts: AsyncIterable<string>, onOpen: () => void): Promise<string> {
  let text = "";
  for await (const piece of texts) {
    onOpen();
    text += piece;
  }
  return text;
}

/** How many chunks came from the first entry on, each the one that it was the turn of. */
async function countChunks(server: Served, task: string, cursor: string, size: CountRequest): Promise<number> {
  await using client = rawClient(server, "rolling", "HTTP+JSON");
  let next = 0;
  for await (const { event } of client.stream("SubscribeToTask", { id: task }, { ...EXTENDED, "last-event-id": cursor })) {
    for (const text of textsOf(event)) {
      assert.ok(text === chunkText(1, next, size.chars), `chunk ${next} is ${text.slice(0, 40)}`);
      next += 1;
    }
  }
  return next;
}

/** A subscription whose answer nobody reads until it is iterated. */
async function subscribe(server: Served, agent: string, task: string, cursor: string): Promise<IncomingMessage> {
  const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "SubscribeToTask", params: { id: task } });
  const headers = {
    "content-type": "application/json",
    "a2a-version": "1.0",
    ...EXTENDED,
    "last-event-id": cursor,
  };
  const sent = request(`${server.url}/a2a/${agent}`, { method: "POST", headers });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  return response.setEncoding("utf8");
}
