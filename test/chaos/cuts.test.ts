import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamItem } from "../../src/lib/client/client.ts";
import { jsonRpcClient } from "../bindings/clients.ts";
import { countText } from "../servers/proof-agents.ts";
import { cursorOf, foldText, readByCursor, type Reading, type Seen, textOfTask } from "../support/cursor-reader.ts";
import { BINDINGS, openWay, type Way } from "../support/cut-servers.ts";
import { messageOf } from "../support/messages.ts";
import { startServerProcess, temporaryFolder } from "../support/server-process.ts";
import { createRandom } from "../../src/lib/model/random.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
/** Of each of the eight ways; 208 in all. */
const CUTS = 26;
const REQUEST = { n: 1200, ms: 2 };

test(`200 cuts at random bytes, half of them resets: every reader sees every entry once, in order (SEED=${SEED})`, { timeout: 300_000 }, async () => {
  const random = createRandom(SEED);
  await using folder = await temporaryFolder();
  await using server = await startServerProcess(folder.path);
  const ways: Way[] = [];
  try {
    for (const binding of [...BINDINGS, ...BINDINGS]) {
      const way = await openWay(binding, (connection) => (connection < CUTS ? 200 + Math.floor(random() * 4000) : undefined));
      way.leadTo(server);
      ways.push(way);
    }
    const whole = jsonRpcClient(`${server.url}/a2a/count`);
    const sent = await whole.call("SendMessage", { message: messageOf(JSON.stringify(REQUEST)), configuration: { returnImmediately: true } });
    const task: string = sent.task.id;
    const zero = `${cursorOf({ event: sent }).split(".")[0]}.0`;

    const read = async (way: Way, number: number): Promise<Reading | readonly StreamItem[]> => {
      // A raw reader with the first cursor, three that begin with the Task, our client on each binding, over REST beginning with the Task.
      if (number < BINDINGS.length) return readByCursor({ connect: () => way.raw("count"), task, ...(number === 0 && { after: zero }) });
      await using client = await way.client(server, "count");
      const items: StreamItem[] = [];
      for await (const item of client.subscribe(task, number === BINDINGS.length + 1 ? {} : { after: zero })) items.push(item);
      return items;
    };
    const readings = await Promise.all(ways.map(read));
    assert.deepEqual(
      ways.map((way) => way.cuts),
      ways.map(() => CUTS),
    );

    const reference = await readByCursor({ connect: () => jsonRpcClient(`${server.url}/a2a/count`), task, after: zero });
    // Entry 2 is the message as the turn's input, which is internal.
    assert.deepEqual(
      reference.seen.map(({ seq }) => seq),
      Array.from({ length: REQUEST.n + 4 }, (_, index) => index + 1).filter((seq) => seq !== 2),
    );
    const text = countText(1, REQUEST);
    assert.equal(textOfTask(await whole.call("GetTask", { id: task })), text);
    for (const reading of readings) {
      if ("seen" in reading) {
        const from = reading.opening?.seq ?? 0;
        assert.deepEqual(
          reading.seen,
          reference.seen.filter(({ seq }) => seq > from),
        );
        assert.equal(foldText(reading), text);
      } else assertWhole(reading, reference.seen, text);
    }
  } finally {
    for (const way of ways) await way[Symbol.asyncDispose]();
  }
});

/** What our client gave is the log from where it began. Only an opening that was cut may be made up for by what was missed since, as one piece. */
function assertWhole(items: readonly StreamItem[], reference: readonly Seen[], text: string): void {
  assert.ok(items.every((item) => item.resync !== "replace"));
  const chunks = items.flatMap(({ event }) => ("artifactUpdate" in event ? event.artifactUpdate.artifact.parts.map((part) => part.text ?? "") : []));
  const first = items[0]?.event;
  const before = first !== undefined && "task" in first ? textOfTask(first.task) : "";
  assert.equal(before + chunks.join(""), text);
  const steps = items.filter((item) => item.resync === undefined).map((item) => Number(item.cursor?.split(".")[1]));
  const made = new Set(items.flatMap((item) => (item.resync === undefined ? [] : [Number(item.cursor?.split(".")[1])])));
  assert.ok(made.size === 0 || (first !== undefined && "task" in first));
  const start = Math.max(steps[0] ?? 0, ...made);
  assert.deepEqual(
    steps.filter((seq) => seq > start),
    reference.map(({ seq }) => seq).filter((seq) => seq > start),
  );
}
