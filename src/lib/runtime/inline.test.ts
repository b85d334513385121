import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { defineAgent } from "../engine/define-agent.ts";
import { createMemoryStore } from "../log/memory.ts";
import type { Store } from "../log/store.ts";
import { createInlineMedia } from "../../../test/support/inline-media.ts";
import { encodeEvent } from "../model/entry.ts";
import { DEFAULT_LIMITS } from "../model/limits.ts";
import { createInlineRuntime } from "./inline.ts";
import type { Runtime } from "./runtime.ts";

const KEY = { tenant: "", user: "user", agent: "agent", task: "task" };

/** A store with one task that waits for its turn. */
async function storeWithTask(): Promise<Store> {
  const store = createMemoryStore();
  const opened = await store.log.open(KEY, { owner: "gateway", expect: 0 });
  assert.ok(opened.ok);
  const event = { task: { id: "task", contextId: "context", status: { state: "TASK_STATE_SUBMITTED" as const } } };
  await store.log.append(KEY, {
    epoch: opened.epoch,
    firstSeq: 1,
    entries: [{ gen: 1, at: 0, attempt: 0, audience: "public", event: encodeEvent(event) }],
    index: { key: KEY, context: "context", state: "TASK_STATE_SUBMITTED", statusAt: 0, createdAt: 0 },
  });
  return store;
}

/** A runtime whose only agent never ends a turn by itself, and the number of turns that it began. */
function runtimeOf(store: Store): { readonly runtime: Runtime; readonly begun: () => number } {
  let begun = 0;
  const engine = {
    async *run(_turn: unknown, { signal }: { readonly signal: AbortSignal }) {
      begun += 1;
      yield { kind: "text" as const, text: "x" };
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason as Error)));
    },
  };
  const runtime = createInlineRuntime({
    store,
    agents: new Map([["agent", defineAgent({ id: "agent", engine })]]),
    limits: DEFAULT_LIMITS,
    media: createInlineMedia(),
    now: Date.now,
    owner: "test",
    report: (error) => assert.fail(error),
    history: async () => [],
    references: async () => [],
  });
  return { runtime, begun: () => begun };
}

/** `call`, which from now on waits for `open`; `reached` resolves at its first call. */
function gate<Args extends readonly unknown[], Result>(call: (...args: Args) => Promise<Result>) {
  const open = Promise.withResolvers<void>();
  const reached = Promise.withResolvers<void>();
  return {
    reached: reached.promise,
    open: open.resolve,
    async call(...args: Args): Promise<Result> {
      reached.resolve();
      await open.promise;
      return call(...args);
    },
  };
}

describe("a drain that comes while a turn is being taken up", () => {
  it("waits for who looks the task up, and starts no turn after that", async () => {
    const store = await storeWithTask();
    const gated = gate(store.log.open);
    const { runtime, begun } = runtimeOf({ ...store, log: { ...store.log, open: gated.call } });
    await runtime.submit(KEY);
    await gated.reached;
    let over = false;
    const drained = runtime.drain({ graceMs: 0 }).finally(() => (over = true));
    await new Promise((resolve) => setTimeout(resolve, 0));
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(over, false);
    gated.open();
    await drained;
    assert.equal(begun(), 0);
    assert.equal((await store.index.get(KEY))?.state, "TASK_STATE_SUBMITTED");
  });

  it("ends although the task's stream was still being read when it asked", async () => {
    const store = await storeWithTask();
    const gated = gate(store.log.read);
    const { runtime, begun } = runtimeOf({ ...store, log: { ...store.log, read: gated.call } });
    await runtime.submit(KEY);
    await gated.reached;
    const drained = runtime.drain({ graceMs: 0 });
    // Timers of the same length fire in order: the grace of 0 ms is over.
    await new Promise((resolve) => setTimeout(resolve, 0));
    gated.open();
    await drained;
    assert.equal(begun(), 0);
    assert.equal((await store.index.get(KEY))?.state, "TASK_STATE_SUBMITTED");
  });
});
