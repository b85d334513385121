import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineAgent } from "../engine/define-agent.ts";
import { scripted } from "../engine/scripted.ts";
import { IasError } from "../model/errors.ts";
import type { Call, Frame, FrameStream, Operations } from "./operations.ts";
import { createPlaces } from "../stream/places.ts";
import { limitReaders } from "./reader-limit.ts";

const refuse = (taken: number, of: string): IasError => new IasError("limit-reached", `${taken} of ${of}`, { retryable: true });

/** Operations of so many places, and how many are taken. */
function limitedTo(operations: Operations, max: number) {
  const places = createPlaces({ max, perOwner: max, refuse });
  const limited = limitReaders(operations, ({ user }) => places.take(user));
  return {
    ...limited,
    get readers() {
      return places.taken;
    },
  };
}

const agent = defineAgent({ id: "a", engine: scripted([]) });

function callWith(signal = new AbortController().signal): Call {
  return { principal: { tenant: "", user: "u" }, agent, version: "1.0", extensions: new Set(), signal };
}

function operationsOf(frames: () => FrameStream["frames"]): Operations {
  const stream = async (): Promise<FrameStream> => ({
    key: { tenant: "", user: "u", agent: "a", task: "t" },
    opening: "fresh",
    audience: "public",
    frames: frames(),
  });
  return { ...(Object.create(null) as Operations), subscribeToTask: stream, sendStreamingMessage: stream };
}

async function* frames(): AsyncGenerator<readonly Frame[]> {
  yield [{ seq: 1, event: "{}" }];
  yield [{ seq: 2, event: "{}" }];
}

describe("the limit of readers", () => {
  it("refuses one stream too many before it opens, and takes the next when one has ended", async () => {
    let opened = 0;
    const limited = limitedTo(
      operationsOf(() => {
        opened += 1;
        return frames();
      }),
      1,
    );
    const first = await limited.subscribeToTask(callWith(), {});
    await assert.rejects(
      limited.sendStreamingMessage(callWith(), {}),
      (error) => error instanceof IasError && error.code === "limit-reached" && error.retryable,
    );
    assert.deepEqual([opened, limited.readers], [1, 1]);
    const seqs: number[] = [];
    for await (const batch of first.frames) seqs.push(...batch.map(({ seq }) => seq));
    assert.deepEqual([seqs, limited.readers], [[1, 2], 0]);
    await limited.subscribeToTask(callWith(), {});
    assert.equal(opened, 2);
  });

  it("counts no stream that its reader gave up, that failed, that did not open, or whose caller is gone", async () => {
    const limited = limitedTo(operationsOf(frames), 10);
    const given = await limited.subscribeToTask(callWith(), {});
    for await (const _ of given.frames) break;
    assert.equal(limited.readers, 0);

    const failing = limitedTo(
      operationsOf(async function* () {
        yield [];
        throw new Error("broken");
      }),
      10,
    );
    const broken = await failing.subscribeToTask(callWith(), {});
    await assert.rejects(async () => {
      for await (const _ of broken.frames);
    }, /broken/);
    assert.equal(failing.readers, 0);

    const closed = limitedTo(
      operationsOf(() => {
        throw new IasError("task-not-found", "None.");
      }),
      10,
    );
    await assert.rejects(closed.subscribeToTask(callWith(), {}), { code: "task-not-found" });
    assert.equal(closed.readers, 0);

    const caller = new AbortController();
    await limited.subscribeToTask(callWith(caller.signal), {});
    assert.equal(limited.readers, 1);
    caller.abort();
    assert.equal(limited.readers, 0);
    await limited.subscribeToTask(callWith(caller.signal), {});
    assert.equal(limited.readers, 0);
  });
});
