import assert from "node:assert/strict";
import test from "node:test";
import type { Task, TaskState } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import type { StreamItem } from "./client.ts";
import { followRemote } from "./follow.ts";
import type { Wire } from "./wire.ts";

function taskOf(state: TaskState, text: string): Task {
  return { id: "t", contextId: "c", status: { state }, artifacts: [{ artifactId: "a", parts: [{ text }] }] };
}

const UNREACHABLE = new IasError("unavailable", "nobody there", { retryable: true });

/** Polls a task that is as `answers` say, one after the other, on a clock of its own. Gives what came, and the waits in between, ms. */
async function polled(answers: readonly (Task | IasError)[]): Promise<{ items: StreamItem[]; waits: number[]; error: unknown }> {
  const waits: number[] = [];
  const items: StreamItem[] = [];
  const left = [...answers];
  const stop = new AbortController();
  const policy: Parameters<typeof followRemote>[2] = {
    hasCursors: false,
    streaming: false,
    subscribes: false,
    maxReconnects: 10,
    backoff: { baseMs: 250, maxMs: 15_000 },
    poll: { baseMs: 1000, maxMs: 10_000 },
    idleTimeoutMs: 60_000,
    random: () => 0,
    async sleep(ms, signal) {
      waits.push(ms);
      if (left.length === 0) stop.abort();
      if (signal?.aborted === true) throw new IasError("aborted", "stopped");
    },
    async getTask() {
      const answer = left.shift() ?? assert.fail("asked once more");
      if (answer instanceof IasError) throw answer;
      return answer;
    },
  };
  const wire = {} as Wire;
  try {
    for await (const item of followRemote(wire, { kind: "subscribe", task: "t" }, policy, { signal: stop.signal })) items.push(item);
    return { items, waits, error: undefined };
  } catch (error) {
    return { items, waits, error };
  }
}

test("a task that is polled is asked after 1 s, while nothing comes less and less often, at least every 10 s, until it is over", async () => {
  const working = taskOf("TASK_STATE_WORKING", "one ");
  const { items, waits, error } = await polled([
    working,
    ...Array.from({ length: 7 }, () => working),
    taskOf("TASK_STATE_WORKING", "one two "),
    taskOf("TASK_STATE_COMPLETED", "one two "),
  ]);
  assert.equal(error, undefined);
  assert.deepEqual(waits, [1000, 1000, 1000, 1000, 1000, 1250, 1563, 1953, 1000]);
  assert.deepEqual(
    items.map(({ event }) => Object.keys(event)[0]),
    ["task", "artifactUpdate", "statusUpdate"],
  );
});

test("polling goes on as long as the task works, and ends with the caller's signal", async () => {
  const { waits, error } = await polled(Array.from({ length: 2000 }, () => taskOf("TASK_STATE_WORKING", "one ")));
  assert.equal(waits.length, 2000);
  assert.ok(waits.every((ms) => ms >= 1000 && ms <= 10_000));
  assert.ok(error instanceof IasError && error.code === "aborted");
});

test("an agent that does not answer polls is waited for longer and longer, and given up after maxReconnects in a row", async () => {
  const working = taskOf("TASK_STATE_WORKING", "one ");
  const { waits, error } = await polled([working, ...Array.from({ length: 10 }, () => UNREACHABLE), working, ...Array.from({ length: 11 }, () => UNREACHABLE)]);
  assert.ok(error instanceof IasError);
  assert.deepEqual([error.code, error.reason, error.retryable], ["unavailable", "RECONNECTS_EXHAUSTED", true]);
  assert.deepEqual(waits.slice(0, 12), [1000, 1000, 2000, 4000, 8000, 10_000, 10_000, 10_000, 10_000, 10_000, 10_000, 1000]);
});

test("a task that a poll does not find any more ends at once, and a wait that the agent asks for is kept", async () => {
  const gone = new IasError("task-not-found", "no such task");
  assert.equal((await polled([taskOf("TASK_STATE_WORKING", "one "), gone])).error, gone);
  const busy = new IasError("limit-reached", "later", { retryable: true, retryAfterMs: 7777 });
  assert.deepEqual((await polled([busy, taskOf("TASK_STATE_COMPLETED", "one ")])).waits, [7777]);
});
