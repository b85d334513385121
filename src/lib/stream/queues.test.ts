import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createQueues } from "./queues.ts";

describe("queues", () => {
  it("run works of one name one after the other, and of different names side by side", async () => {
    const queues = createQueues();
    const gate = Promise.withResolvers<void>();
    const said: string[] = [];
    const first = queues.run("a", async () => {
      await gate.promise;
      said.push("a1");
    });
    const second = queues.run("a", async () => void said.push("a2"));
    await queues.run("b", async () => void said.push("b"));
    assert.deepEqual(said, ["b"]);
    gate.resolve();
    await Promise.all([first, second]);
    assert.deepEqual(said, ["b", "a1", "a2"]);
  });

  it("go on after a work that fails, which only its own caller hears of", async () => {
    const queues = createQueues();
    const failing = queues.run("a", () => Promise.reject(new Error("no")));
    const next = queues.run("a", async () => "next");
    await assert.rejects(failing, /no/);
    assert.equal(await next, "next");
  });

  it("are idle when all that was handed in has ended", async () => {
    const queues = createQueues();
    const gate = Promise.withResolvers<void>();
    let idle = false;
    void queues.run("a", () => gate.promise);
    const waited = queues.idle().then(() => (idle = true));
    await new Promise(setImmediate);
    assert.equal(idle, false);
    gate.resolve();
    await waited;
  });
});
