import assert from "node:assert/strict";
import { test } from "node:test";
import type { FeedItem } from "../api/api.ts";
import { type FeedMessage, joinFrames } from "./feed-messages.ts";
import { MESSAGE_SIZE } from "./outbox.ts";

const frame = (json: string): FeedItem => ({ kind: "frame", agent: "a", task: "t", seq: 1, json });
const checkpoint = (cursor: string): FeedItem => ({ kind: "checkpoint", cursor });
const nextTurn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

async function collect(messages: AsyncIterable<FeedMessage>): Promise<FeedMessage[]> {
  const all: FeedMessage[] = [];
  for await (const message of messages) all.push(message);
  return all;
}

test("frames of one turn go together, and a checkpoint with what stands before it", async () => {
  const feed = async function* (): AsyncGenerator<FeedItem> {
    yield checkpoint("0");
    yield frame("1");
    yield frame("2");
    yield checkpoint("2");
    yield frame("3");
    await nextTurn();
    await nextTurn();
    yield frame("4");
    yield frame("5");
  };
  assert.deepEqual(await collect(joinFrames(feed())), [
    { frames: [], cursor: "0" },
    { frames: ["1", "2"], cursor: "2" },
    { frames: ["3"] },
    { frames: ["4", "5"] },
  ]);
});

test("a message is as long as may be and no longer; a frame that is longer stands alone", async () => {
  const half = "h".repeat(MESSAGE_SIZE / 2);
  const whole = "w".repeat(MESSAGE_SIZE + 1);
  const feed = async function* (): AsyncGenerator<FeedItem> {
    for (const json of [half, half, "s", half, half, whole, "s"]) yield frame(json);
  };
  const lengths = (await collect(joinFrames(feed()))).map(({ frames }) => frames.map(({ length }) => length));
  assert.deepEqual(lengths, [[half.length, half.length], [1, half.length], [half.length], [whole.length], [1]]);
});

test("a frame waits for none that has not come, and what came before an error goes out before it", async () => {
  const gate = Promise.withResolvers<void>();
  const feed = async function* (): AsyncGenerator<FeedItem> {
    yield frame("1");
    await gate.promise;
    yield frame("2");
    throw new Error("broken");
  };
  const messages = joinFrames(feed());
  assert.deepEqual((await messages.next()).value, { frames: ["1"] });
  gate.resolve();
  assert.deepEqual((await messages.next()).value, { frames: ["2"] });
  await assert.rejects(messages.next(), { message: "broken" });
});

test("an error that nobody waits for is not unhandled, and whoever returns ends the feed", async (t) => {
  const unhandled = t.mock.fn();
  process.on("unhandledRejection", unhandled);
  t.after(() => process.off("unhandledRejection", unhandled));
  const stop = new AbortController();
  let ended = 0;
  const feed = async function* (): AsyncGenerator<FeedItem> {
    try {
      yield frame("1");
      await new Promise((_, reject) => stop.signal.addEventListener("abort", () => reject(new Error("stopped"))));
    } finally {
      ended += 1;
    }
  };
  const messages = joinFrames(feed());
  assert.deepEqual((await messages.next()).value, { frames: ["1"] });
  stop.abort();
  await nextTurn();
  await messages.return();
  await nextTurn();
  assert.equal(ended, 1);
  assert.equal(unhandled.mock.callCount(), 0);

  // One that stands at an item is ended too.
  let left = false;
  const more = joinFrames(
    (async function* (): AsyncGenerator<FeedItem> {
      try {
        for (;;) yield frame("x".repeat(MESSAGE_SIZE));
      } finally {
        left = true;
      }
    })(),
  );
  await more.next();
  await more.return();
  assert.ok(left);
});
