import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createPermits } from "./permits.ts";

/** Works that each wait for their own gate, in the order in which they began. */
function works(run: <T>(work: () => Promise<T>) => Promise<T>) {
  const begun: { readonly name: string; readonly end: PromiseWithResolvers<void> }[] = [];
  const start = (name: string): Promise<string> =>
    run(async () => {
      const end = Promise.withResolvers<void>();
      begun.push({ name, end });
      await end.promise;
      return name;
    });
  return { start, begun };
}

describe("permits", () => {
  it("let so many works run at once, and the others in their order", async () => {
    const { start, begun } = works(createPermits(2).run);
    const results = ["a", "b", "c", "d"].map(start);
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

  it("come back from works that fail", async () => {
    const permits = createPermits(1);
    await assert.rejects(
      permits.run(() => Promise.reject(new Error("no"))),
      /no/,
    );
    assert.equal(await permits.run(async () => "next"), "next");
  });
});
