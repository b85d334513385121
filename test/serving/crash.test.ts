import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it } from "node:test";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import type { Task } from "../../src/lib/model/a2a.ts";
import { EXTENSION_URI } from "../../src/lib/model/entry.ts";
import { DEFAULT_LIMITS } from "../../src/lib/model/limits.ts";
import { startUpkeep } from "../../src/lib/runtime/upkeep.ts";
import { messageOf } from "../support/messages.ts";
import { agentOf, EXTENDED, rpcClient, serving, statesOf, textOf } from "../support/serving.ts";

/** What the extension says of a failed task. */
function failureOf({ metadata }: Task): Record<string, unknown> {
  const own = metadata?.[EXTENSION_URI] as { readonly failure?: Record<string, unknown> } | undefined;
  return own?.failure ?? assert.fail("no failure is told");
}

describe("crash recovery", () => {
  it("gives a turn up that was cut off too often", async (t) => {
    let now = 1_000_000;
    const store = createMemoryStore({ now: () => now });
    const started: number[] = [];
    const hanging = agentOf(
      async function* (turn) {
        started.push(turn.attempt);
        yield { kind: "text", text: `attempt ${turn.attempt}` };
        await new Promise(() => {});
      },
      { onCrash: "restart" },
    );
    let id = "";
    for (let life = 0; life < 5; life += 1) {
      const server = await serving(t, [hanging], { store, limits: { maxAttempts: 3 } });
      const client = rpcClient(`${server.url}/a2a/agent`);
      if (id === "") id = (await client.send("go", {}, { returnImmediately: true })).task.id;
      while (started.length <= life && (await client.get(id)).status.state !== "TASK_STATE_FAILED") await new Promise(setImmediate);
      await server.drain({ graceMs: 0 });
      now += 6000;
    }
    assert.deepEqual(started, [1, 2, 3]);
    const server = await serving(t, [hanging], { store });
    assert.match(JSON.stringify(await rpcClient(`${server.url}/a2a/agent`).get(id)), /TOO_MANY_ATTEMPTS/);
  });

  it("restarts a safe turn in a new attempt whose text replaces the old one's, and fails one that must not run twice", async (t) => {
    let now = 1_000_000;
    const store = createMemoryStore({ now: () => now });
    const hang = new AbortController();
    const dying = agentOf(async function* (turn) {
      yield { kind: "text", text: "half a sen" };
      if (turn.input[0]?.parts[0]?.text === "pay") yield { kind: "tool-call", call: "c1", name: "charge card twice, then", arguments: "{}" };
      else yield { kind: "tool-call", call: "c1", name: "look_up", arguments: "{}", idempotent: true };
      await once(hang.signal, "abort");
    });
    const before = await serving(t, [dying], { store });
    const client = rpcClient(`${before.url}/a2a/agent`, EXTENDED);
    const ids: string[] = [];
    for (const text of ["pay", "look"]) {
      const frames = client.frames("SendStreamingMessage", { message: messageOf(text) });
      for await (const { event } of frames) {
        if ("task" in event) ids.push(event.task.id);
        if ("statusUpdate" in event && JSON.stringify(event).includes("tool-call")) break;
      }
    }
    await before.drain({ graceMs: 0 });
    now += 6000;
    const whole = agentOf(async function* (turn) {
      yield { kind: "text", text: `attempt ${turn.attempt}` };
    });
    const after = await serving(t, [whole], { store });
    const again = rpcClient(`${after.url}/a2a/agent`);
    const received = await again.all("SubscribeToTask", { id: ids[1] }).catch(() => []);
    const look = await again.get(ids[1] ?? "");
    assert.equal(look.status.state, "TASK_STATE_COMPLETED", JSON.stringify(statesOf(received)));
    assert.equal(textOf(look), "attempt 2");
    const pay = await again.get(ids[0] ?? "");
    assert.equal(pay.status.state, "TASK_STATE_FAILED");
    const failure = failureOf(pay);
    assert.deepEqual([failure["reason"], failure["retryable"], failure["details"]], ["TURN_INTERRUPTED", false, { tools: "charge card twice, then" }]);
    assert.match(pay.status.message?.parts[0]?.text ?? "", /must not run twice by itself: "charge card twice, then"\. Find out/);
  });

  it("ends a turn of an agent that is not restarted; no tool has acted, so the message may be sent again", async (t) => {
    let now = 1_000_000;
    const store = createMemoryStore({ now: () => now });
    const hanging = agentOf(
      async function* (_turn, signal) {
        yield { kind: "text", text: "half a sen" };
        await once(signal, "abort");
      },
      { onCrash: "fail" },
    );
    const before = await serving(t, [hanging], { store });
    let id = "";
    for await (const { event } of rpcClient(`${before.url}/a2a/agent`).frames("SendStreamingMessage", { message: messageOf("go") })) {
      if ("task" in event) id = event.task.id;
      if ("artifactUpdate" in event) break;
    }
    await before.drain({ graceMs: 0 });
    now += 6000;
    const after = await serving(t, [hanging], { store });
    const client = rpcClient(`${after.url}/a2a/agent`);
    await client.all("SubscribeToTask", { id }).catch(() => []);
    const task = await client.get(id);
    const failure = failureOf(task);
    assert.deepEqual([failure["reason"], failure["retryable"], failure["details"]], ["TURN_INTERRUPTED", true, undefined]);
  });

  for (const onCrash of ["restart", "safe"] as const) {
    it(`knows a turn whose beginning has rolled away: its input, its tools, and what waits to be read (${onCrash})`, async (t) => {
      let now = 1_000_000;
      const store = createMemoryStore({ now: () => now });
      const turns: (readonly [number, readonly (string | undefined)[]])[] = [];
      const rolling = agentOf(
        async function* (turn, signal) {
          const texts = turn.input.map((message) => message.parts[0]?.text);
          turns.push([turn.attempt, texts]);
          if (texts[0] === "first") yield { kind: "interrupt", reason: "input" };
          if (texts[0] === "first" || turn.attempt > 1 || texts[0] === "third") return;
          yield { kind: "tool-call", call: "c1", name: "pay", arguments: "{}" };
          for (let n = 0; n < 200; n += 1) yield { kind: "text", text: "old " };
          await once(signal, "abort");
        },
        { onCrash, maxArtifactBytes: { limit: 600, policy: "roll" } },
      );
      const before = await serving(t, [rolling], { store });
      const client = rpcClient(`${before.url}/a2a/agent`);
      const { task } = await client.send("first");
      await client.send("second", { taskId: task.id }, { returnImmediately: true });
      const key = { tenant: "", user: "local", agent: "agent", task: task.id };
      const headAt = async (least: number): Promise<void> => {
        while (((await store.log.read(key, { after: 0, maxBytes: 0 }))?.head ?? 0) < least) await new Promise(setImmediate);
      };
      // Both turns' beginnings, the question, the call, and all 200 texts: nothing is being written any more.
      await headAt(210);
      await client.send("third", { taskId: task.id }, { returnImmediately: true });
      const upkeep = startUpkeep({
        store,
        agents: before.agents,
        limits: { ...DEFAULT_LIMITS, rollKeepEntries: 0 },
        cancel: async () => {},
        release: async () => {},
        now: () => now,
        report: (error) => assert.fail(error),
      });
      await upkeep.round();
      await upkeep[Symbol.asyncDispose]();
      const page = await store.log.read(key, { after: 0, maxBytes: 0 });
      assert.equal(page?.floor, page?.head, "all has rolled away");
      await before.drain({ graceMs: 0 });
      now += 6000;
      const after = await serving(t, [rolling], { store });
      const again = rpcClient(`${after.url}/a2a/agent`);
      await again.all("SubscribeToTask", { id: task.id }).catch(() => []);
      const end = await again.get(task.id);
      if (onCrash === "safe") {
        assert.deepEqual(failureOf(end)["details"], { tools: "pay" });
        return;
      }
      assert.equal(end.status.state, "TASK_STATE_COMPLETED");
      assert.deepEqual(turns, [
        [1, ["first"]],
        [1, ["second"]],
        [2, ["second"]],
        [1, ["third"]],
      ]);
      assert.equal(textOf(end), "", "what the old attempt wrote is void");
    });
  }
});
