import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createPermits, type Permits } from "./permits.ts";

/** Works that each wait for their own gate, in the order in which they began. */
function works(permits: Permits) {
  const begun: { readonly name: string; readonly end: PromiseWithResolvers<void> }[] = [];
  const start = (name: string, owner = "o"): Promise<string> =>
    permits.run(owner, async () => {
      const end = Promise.withResolvers<void>();
      begun.push({ name, end });
      await end.promise;
      return name;
    });
  return { start, begun };
}

describe("permits", () => {
  it("let so many works run at once, and the others in their order", async () => {
    const { start, begun } = works(createPermits(2));
    const results = ["a", "b", "c", "d"].map((name) => start(name));
    await new Promise(setImmediate);
    assert.deepEqual(
      begun.map(({ name }) => name),
      ["a", "b"],
    );
    for (let index = 0; index < 4; index += 1) {
      begun[index]?.end.resolve();
      await results[index];
      await new Promise(setImmediate);
    }
    assert.deepEqual(
      begun.map(({ name }) => name),
      ["a", "b", "c", "d"],
    );
  });

  it("go from owner to owner, so that who brings many does not keep the others waiting", async () => {
    const { start, begun } = works(createPermits(1));
    const results = ["a1", "a2", "a3", "a4"].map((name) => start(name, "a"));
    results.push(start("b1", "b"), start("b2", "b"), start("c1", "c"));
    for (let index = 0; index < results.length; index += 1) {
      await new Promise(setImmediate);
      begun[index]?.end.resolve();
    }
    await Promise.all(results);
    assert.deepEqual(
      begun.map(({ name }) => name),
      ["a1", "a2", "b1", "c1", "a3", "b2", "a4"],
    );
  });

  it("leave some to others however many one owner brings, and say how many wait", async () => {
    const permits = createPermits(3, { perOwner: 2 });
    const { start, begun } = works(permits);
    const results = ["a1", "a2", "a3", "a4"].map((name) => start(name, "a"));
    results.push(start("b1", "b"), start("b2", "b"), start("c1", "c"));
    const names = (): readonly string[] => begun.map(({ name }) => name);
    await new Promise(setImmediate);
    assert.deepEqual([names(), permits.waiting(), permits.waiting("a"), permits.waiting("b"), permits.waiting("c")], [["a1", "a2", "b1"], 4, 2, 1, 1]);
    // What `a` gives back goes to whose turn it is, and then to `a` again.
    for (const [index, next] of [
      [0, "a3"],
      [1, "b2"],
      [2, "c1"],
      [3, "a4"],
    ] as const) {
      begun[index]?.end.resolve();
      await new Promise(setImmediate);
      assert.equal(names().at(-1), next);
    }
    assert.equal(permits.waiting(), 0);
    for (const { end } of begun) end.resolve();
    assert.deepEqual(new Set(await Promise.all(results)), new Set(names()));
    assert.equal(await permits.run("a", async () => "free again"), "free again");
  });

  it("come back from works that fail", async () => {
    const permits = createPermits(1);
    await assert.rejects(
      permits.run("o", () => Promise.reject(new Error("no"))),
      /no/,
    );
    assert.equal(await permits.run("o", async () => "next"), "next");
  });
});
