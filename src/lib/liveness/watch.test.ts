import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createManualTicker } from "../../../test/support/manual-ticker.ts";
import type { StreamResponse, TaskState } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { phaseOf } from "./liveness.ts";
import { watch, type WatchEvent, type WatchOptions } from "./watch.ts";

const IDS = { taskId: "t", contextId: "c" };

function piece(text: string, append = true): StreamResponse {
  return { artifactUpdate: { ...IDS, artifact: { artifactId: "answer", parts: [{ text }] }, append } };
}
function status(state: TaskState, text?: string): StreamResponse {
  const message = text === undefined ? {} : { message: { messageId: "m", role: "ROLE_AGENT" as const, parts: [{ text }] } };
  return { statusUpdate: { ...IDS, status: { state, ...message } } };
}

/** A source that gives what it is told to give, and nothing until then: its `return` waits like a generator's. */
function pipe() {
  const queue: (StreamResponse | "end" | Error)[] = [];
  let wake = (): void => {};
  async function* read(): AsyncGenerator<StreamResponse> {
    for (;;) {
      const next = queue.shift();
      if (next === "end") return;
      if (next instanceof Error) throw next;
      if (next === undefined) await new Promise<void>((resolve) => (wake = resolve));
      else yield next;
    }
  }
  const give = (item: StreamResponse | "end" | Error): void => {
    queue.push(item);
    wake();
  };
  return { read: read(), give };
}

/** Lets what waits go on: nothing here waits for more than promises. */
const settle = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** A watch that is read to its end, on a clock of ours. */
function watching(options: WatchOptions = {}) {
  const ticker = createManualTicker();
  const source = pipe();
  const told: WatchEvent[] = [];
  const watched = watch(source.read, { thresholds: { gapMs: 1000, firstContentMs: 5000, slowAfter: 1 }, ...options, ticker, onLiveness: (e) => told.push(e) });
  const read = (async () => {
    const items: StreamResponse[] = [];
    for await (const item of watched) items.push(item);
    return items;
  })();
  read.catch(() => {});
  const take = (): string[] => told.splice(0).flatMap((event) => (event.kind === "phase" ? [] : [event.kind]));
  const give = async (item: StreamResponse | "end" | Error, afterMs = 0): Promise<void> => {
    ticker.advance(afterMs);
    source.give(item);
    await settle();
  };
  return { ticker, watched, read, take, give };
}

describe("a watch of an agent that is known to stream", () => {
  it("gives the items as they are, tells one stall within a tick of the gap, and one recovery", async () => {
    const { ticker, watched, read, take, give } = watching({ judges: "content" });
    await settle();
    await give(status("TASK_STATE_WORKING"));
    await give(piece("a", false), 4000);
    await give(piece("b"), 900);
    assert.deepEqual(take(), []);
    ticker.advance(1060);
    assert.deepEqual(take(), ["stalled"]);
    ticker.advance(60_000);
    await give(piece("c"));
    await give(piece("d"), 100);
    assert.deepEqual(take(), ["recovered"]);
    await give(status("TASK_STATE_COMPLETED"));
    await give("end");
    assert.equal((await read).length, 6);
    assert.equal(watched.state().contents, 4);
    assert.equal(phaseOf(watched.state()), "ended");
    assert.equal(ticker.size, 0);
  });

  it("finds one that never says anything", async () => {
    const { ticker, take } = watching({ judges: "content" });
    await settle();
    ticker.advance(5060);
    assert.deepEqual(take(), ["stalled"]);
  });

  it("throws InferenceStalled where that is wanted, without waiting for the silent source", async () => {
    const { ticker, read, give } = watching({ judges: "content", onStall: "throw" });
    await settle();
    await give(piece("a", false), 10);
    ticker.advance(1060);
    await assert.rejects(read, (error) => error instanceof IasError && error.reason === "INFERENCE_STALLED" && error.retryable);
    assert.equal(ticker.size, 0);
  });

  it("does not take the consumer's time, or a blocked event loop, for silence", async () => {
    const ticker = createManualTicker();
    const source = pipe();
    const told: string[] = [];
    const watched = watch(source.read, { judges: "content", ticker, thresholds: { gapMs: 1000 }, onLiveness: ({ kind }) => told.push(kind) });
    const iterator = watched[Symbol.asyncIterator]();
    source.give(piece("a", false));
    await iterator.next();
    ticker.advance(60_000);
    assert.equal(phaseOf(watched.state()), "throttled");
    const second = iterator.next();
    await settle();
    ticker.advance(900);
    ticker.block(30_000);
    source.give(piece("b"));
    await second;
    assert.deepEqual(
      told.filter((kind) => kind !== "phase"),
      ["slow"],
    );
    await iterator.return?.();
  });

  it("takes what it is told from outside", async () => {
    const { ticker, watched, take, give } = watching({ judges: "content" });
    await settle();
    await give(piece("a", false));
    watched.tell({ kind: "retry-wait" });
    ticker.advance(100_000);
    assert.deepEqual(take(), []);
    assert.equal(phaseOf(watched.state()), "retry-wait");
  });

  it("hands on what the source throws", async () => {
    const { ticker, read, give } = watching();
    await settle();
    await give(new Error("cut"));
    await assert.rejects(read, /cut/);
    assert.equal(ticker.size, 0);
  });
});

describe("a watch of an agent that promises nothing", () => {
  it("judges nothing while it shows no pieces, however silent it is", async () => {
    const { ticker, watched, take, give } = watching();
    await settle();
    ticker.advance(600_000);
    await give(status("TASK_STATE_WORKING", "Searching the web for flights"));
    await give(status("TASK_STATE_WORKING", "Reading what was found there"), 60_000);
    await give(piece("all of it at once", false), 600_000);
    await give(piece(" with a second part in the same breath"));
    assert.deepEqual([watched.judges(), ...take()], ["nothing"]);
  });

  it("judges content once an artifact grows at different times", async () => {
    const { ticker, watched, take, give } = watching();
    await settle();
    await give(piece("a", false), 60_000);
    await give(piece("b"), 300);
    assert.deepEqual([watched.judges(), ...take()], ["content", "judges"]);
    ticker.advance(1060);
    assert.deepEqual(take(), ["stalled"]);
  });

  it("judges content once short status messages come like tokens", async () => {
    const { watched, take, give } = watching();
    await settle();
    for (const word of ["The", " best", " flight", " is"]) await give(status("TASK_STATE_WORKING", word), 50);
    assert.equal(watched.judges(), "nothing");
    await give(status("TASK_STATE_WORKING", " at"), 50);
    assert.deepEqual([watched.judges(), ...take()], ["content", "judges"]);
  });

  it("does not take what a client repaired after a cut for pieces", async () => {
    const ticker = createManualTicker();
    const items = [piece("a", false), piece("b"), piece("c")];
    async function* read() {
      for (const event of items) {
        ticker.advance(500);
        yield { event, resync: "append" as const };
      }
    }
    const watched = watch(read(), { ticker });
    for await (const item of watched) assert.ok(item.event);
    assert.equal(watched.judges(), "nothing");
  });
});

it("merges items and what is told of them, and is left in the middle of a silence", async () => {
  const ticker = createManualTicker();
  const source = pipe();
  const watched = watch(source.read, { judges: "content", ticker, thresholds: { gapMs: 1000, slowAfter: 1 } });
  const seen: string[] = [];
  const read = (async () => {
    for await (const one of watched.merged()) {
      seen.push(one.kind === "item" ? "item" : one.event.kind);
      if (seen.at(-1) === "stalled") break;
    }
  })();
  await settle();
  source.give(piece("a", false));
  await settle();
  ticker.advance(1060);
  await read;
  assert.deepEqual(seen, ["item", "phase", "stalled"]);
  assert.equal(ticker.size, 0);
  await assert.rejects(watched[Symbol.asyncIterator]().next(), /iterated once/);
});
