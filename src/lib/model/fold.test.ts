import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { StreamResponse, TaskState } from "./a2a.ts";
import { type Audience, encodeEvent, type Entry, EXTENSION_URI } from "./entry.ts";
import { createFold, type Fold } from "./fold.ts";

const base = { taskId: "t", contextId: "c" };
const status = (state: TaskState, text?: string): StreamResponse => ({
  statusUpdate: { ...base, status: { state, ...(text !== undefined && { message: { messageId: text, role: "ROLE_AGENT", parts: [{ text }] } }) } },
});
const chunk = (artifactId: string, text: string, append: boolean): StreamResponse => ({
  artifactUpdate: { ...base, artifact: { artifactId, parts: [{ text }] }, append },
});
const input = (text: string): StreamResponse => ({
  statusUpdate: {
    ...base,
    status: { state: "TASK_STATE_WORKING" },
    metadata: { [EXTENSION_URI]: { kind: "input", user: "u", message: { messageId: text, role: "ROLE_USER", parts: [{ text }] } } },
  },
});
const first: StreamResponse = {
  task: {
    id: "t",
    contextId: "c",
    status: { state: "TASK_STATE_SUBMITTED" },
    history: [{ messageId: "hello", role: "ROLE_USER", parts: [{ text: "hello" }] }],
  },
};

function feed(fold: Fold, events: readonly (StreamResponse | readonly [Audience, StreamResponse])[]): void {
  for (const one of events) {
    const [audience, event] = Array.isArray(one) ? (one as readonly [Audience, StreamResponse]) : (["public", one as StreamResponse] as const);
    const entry: Entry = { seq: fold.seq + 1, gen: 1, at: 0, attempt: 1, audience, event: encodeEvent(event) };
    fold.apply(entry);
  }
}

describe("fold", () => {
  it("joins adjacent plain texts, replaces an artifact that opens anew, and keeps other parts apart", () => {
    const fold = createFold();
    feed(fold, [
      first,
      chunk("a", "1", false),
      chunk("a", "2", true),
      { artifactUpdate: { ...base, artifact: { artifactId: "a", parts: [{ data: 3 }] }, append: true } },
      chunk("a", "4", true),
      chunk("b", "old", false),
      chunk("b", "new", false),
      chunk("c", "opened by an append", true),
    ]);
    assert.deepEqual(fold.task()?.artifacts, [
      { artifactId: "a", parts: [{ text: "12" }, { data: 3 }, { text: "4" }] },
      { artifactId: "b", parts: [{ text: "new" }] },
      { artifactId: "c", parts: [{ text: "opened by an append" }] },
    ]);
    assert.equal(fold.artifactSize("b"), 3);
  });

  it("tells history in the order in which it was said", () => {
    const fold = createFold();
    feed(fold, [
      first,
      status("TASK_STATE_INPUT_REQUIRED", "which?"),
      ["internal", input("this")],
      status("TASK_STATE_SUBMITTED"),
      status("TASK_STATE_WORKING", "thanks"),
      status("TASK_STATE_COMPLETED"),
    ]);
    assert.deepEqual(
      fold.task()?.history?.map(({ messageId }) => messageId),
      ["hello", "which?", "this", "thanks"],
    );
  });

  it("is not changed by entries that are not public, but for inputs in history", () => {
    const fold = createFold();
    feed(fold, [first, status("TASK_STATE_WORKING")]);
    const before = fold.task();
    feed(fold, [
      ["extension", status("TASK_STATE_COMPLETED")],
      ["internal", status("TASK_STATE_FAILED")],
      ["extension", chunk("x", "x", false)],
    ]);
    assert.deepEqual(fold.task(), before);
  });

  it("goes on from a snapshot as from the entries", () => {
    const events = [first, chunk("a", "1", false), status("TASK_STATE_INPUT_REQUIRED", "q"), chunk("a", "2", true), status("TASK_STATE_COMPLETED")];
    for (let cut = 1; cut < events.length; cut += 1) {
      const whole = createFold();
      feed(whole, events);
      const head = createFold();
      feed(head, events.slice(0, cut));
      const tail = createFold();
      const task = head.task();
      assert.ok(task !== undefined);
      tail.restore(task, cut);
      feed(tail, events.slice(cut));
      assert.deepEqual(tail.task(), whole.task(), `cut at ${cut}`);
    }
  });

  it("refuses an entry that is not the next", () => {
    const fold = createFold();
    feed(fold, [first]);
    assert.throws(() => fold.apply({ seq: 3, gen: 1, at: 0, attempt: 1, audience: "public", event: encodeEvent(first) }), { code: "corrupt" });
    assert.throws(() => fold.restore({ id: "t", contextId: "c", status: { state: "TASK_STATE_WORKING" } }, 1), { code: "corrupt" });
  });

  it("gives the Task as it was, not as it becomes", () => {
    const fold = createFold();
    feed(fold, [first, chunk("a", "1", false)]);
    const then = fold.task();
    feed(fold, [chunk("a", "2", true), status("TASK_STATE_COMPLETED", "bye"), status("TASK_STATE_COMPLETED")]);
    assert.deepEqual(then?.artifacts, [{ artifactId: "a", parts: [{ text: "1" }] }]);
    assert.equal(then?.history?.length, 1);
  });

  it("leaves artifacts out where they are not wanted", () => {
    const fold = createFold();
    feed(fold, [first, chunk("a", "1", false), status("TASK_STATE_COMPLETED")]);
    const { artifacts, ...bare } = fold.task() ?? assert.fail();
    assert.equal(artifacts?.length, 1);
    assert.deepEqual(fold.task({ artifacts: false }), bare);
  });
});
