import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { collect } from "../testing/engine-support.ts";
import { toEvents } from "./to-events.ts";

describe("toEvents", () => {
  it("reads what can be read, a plain generator too", async () => {
    const all = async (given: unknown): Promise<readonly unknown[]> => collect(toEvents(given));
    assert.deepEqual(await all([1, 2]), [1, 2]);
    assert.deepEqual(
      await all(
        (async function* () {
          yield 1;
        })(),
      ),
      [1],
    );
    assert.deepEqual(
      await all(
        (function* () {
          yield 1;
        })(),
      ),
      [1],
    );
  });

  for (const [given, said] of [
    [undefined, /gave undefined for its turn/],
    [Promise.resolve(), /gave a Promise for its turn/],
    ["text", /gave a text for its turn/],
    [() => {}, /gave a function for its turn/],
  ] as const) {
    it(`says what it got: ${said.source}`, () => {
      assert.throws(() => toEvents(given), { code: "engine-failed", reason: "EVENT_INVALID", message: said });
    });
  }
});
