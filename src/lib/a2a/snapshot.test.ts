import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Part, StreamResponse, Task } from "../model/a2a.ts";
import { createFold } from "../model/fold.ts";
import { snapshotFrames } from "./snapshot.ts";

const part: fc.Arbitrary<Part> = fc.oneof(
  { weight: 4, arbitrary: fc.string({ unit: "grapheme", maxLength: 4000 }).map((text) => ({ text })) },
  fc.record({ text: fc.string({ maxLength: 50 }), mediaType: fc.constant("text/markdown") }),
  fc.record({ data: fc.record({ n: fc.integer() }) }),
);
const task: fc.Arbitrary<Task> = fc.record({
  id: fc.constant("t"),
  contextId: fc.constant("c"),
  status: fc.constant({ state: "TASK_STATE_WORKING" as const }),
  artifacts: fc.uniqueArray(fc.record({ artifactId: fc.string({ minLength: 1, maxLength: 8 }), parts: fc.array(part, { minLength: 1, maxLength: 6 }) }), {
    selector: ({ artifactId }) => artifactId,
    maxLength: 4,
  }),
  history: fc.array(fc.record({ messageId: fc.uuid(), role: fc.constant("ROLE_USER" as const), parts: fc.array(part, { minLength: 1, maxLength: 2 }) }), {
    maxLength: 4,
  }),
});

describe("snapshotFrames", () => {
  it("gives frames that fit, with one cursor, which fold to the Task again (but for history that does not fit)", () => {
    fc.assert(
      fc.property(task, fc.integer({ min: 2000, max: 20_000 }), (generated, maxBytes) => {
        const value = JSON.parse(JSON.stringify(generated)) as Task;
        const frames = [...snapshotFrames(value, 7, maxBytes)];
        const fold = createFold();
        for (const [index, frame] of frames.entries()) {
          assert.equal(frame.seq, 7);
          assert.ok(Buffer.byteLength(frame.event) <= maxBytes, `${Buffer.byteLength(frame.event)} > ${maxBytes}`);
          fold.apply({ seq: index + 1, gen: 1, at: 0, attempt: 1, audience: "public", event: frame.event });
        }
        const whole = createFold();
        whole.restore(value, 1);
        const got = fold.task();
        assert.deepEqual(normal(got?.artifacts ?? []), normal(value.artifacts ?? []));
        assert.deepEqual(
          got?.history ?? [],
          (value.history ?? []).slice((value.history?.length ?? 0) - (got?.history?.length ?? 0)),
          "the newest history is kept",
        );
        assert.deepEqual(got?.status, value.status);
      }),
      { numRuns: 200 },
    );
  });

  it("opens each artifact with its first piece and appends the others", () => {
    const value: Task = {
      id: "t",
      contextId: "c",
      status: { state: "TASK_STATE_WORKING" },
      artifacts: [
        { artifactId: "a", name: "long", parts: [{ text: "x".repeat(10_000) }] },
        { artifactId: "b", parts: [{ text: "y" }] },
      ],
    };
    const updates = [...snapshotFrames(value, 1, 3000)].flatMap(({ event }) => {
      const decoded = JSON.parse(event) as StreamResponse;
      return "artifactUpdate" in decoded ? [decoded.artifactUpdate] : [];
    });
    for (const id of ["a", "b"]) {
      const appends = updates.filter(({ artifact }) => artifact.artifactId === id).map(({ append }) => append);
      assert.deepEqual(
        appends,
        appends.map((_, index) => index > 0),
      );
    }
    assert.equal(updates[0]?.artifact.name, "long");
  });

  it("encodes a piece only when it is asked for", () => {
    let encoded = 0;
    const counted = { data: { toJSON: () => (encoded += 1) } } as unknown as Part;
    const value: Task = {
      id: "t",
      contextId: "c",
      status: { state: "TASK_STATE_WORKING" },
      artifacts: [
        { artifactId: "a", parts: [{ text: "x".repeat(5000) }] },
        { artifactId: "b", parts: [counted] },
      ],
    };
    const frames = snapshotFrames(value, 1, 3000);
    assert.ok(frames.next().value?.event.startsWith('{"task"'));
    assert.equal(encoded, 0);
    assert.ok([...frames].length > 2 && encoded > 0);
  });
});

/** Adjacent plain texts are one text, however they were cut. */
function normal(artifacts: NonNullable<Task["artifacts"]>): unknown {
  return artifacts.map(({ artifactId, parts }) => {
    const joined: Part[] = [];
    for (const one of parts) {
      const last = joined.at(-1);
      if (last?.text !== undefined && one.text !== undefined && Object.keys(last).length === 1 && Object.keys(one).length === 1)
        joined[joined.length - 1] = { text: last.text + one.text };
      else joined.push(one);
    }
    return { artifactId, parts: joined };
  });
}
