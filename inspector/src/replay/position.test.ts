import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { isSamePosition, readPosition, writePosition } from "./position.ts";

const read = (text: string) => readPosition(new URLSearchParams(text));

test("an address holds a position exactly, and gives it back", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }), fc.nat(), (seq, after) => {
      const query = new URLSearchParams();
      for (const [name, value] of Object.entries(writePosition({ seq, after }))) if (value !== undefined) query.set(name, String(value));
      assert.deepEqual(readPosition(query), { seq, after });
    }),
  );
  assert.deepEqual(writePosition(undefined), { at: undefined, ms: undefined });
  assert.deepEqual(writePosition({ seq: 4, after: 0 }), { at: "4", ms: undefined });
});

test("what is no position is the live end, and odd times count as none", () => {
  for (const text of ["", "at=", "at=0", "at=-1", "at=1.5", "at=x", "at=1e400"]) assert.equal(read(text), undefined, text);
  for (const text of ["at=7&ms=-1", "at=7&ms=x", "at=7&ms=Infinity"]) assert.deepEqual(read(text), { seq: 7, after: 0 }, text);
});

test("positions are compared as an address tells them", () => {
  assert.equal(isSamePosition({ seq: 1, after: 0.2 }, { seq: 1, after: 0 }), true);
  assert.equal(isSamePosition({ seq: 1, after: 0 }, undefined), false);
  assert.equal(isSamePosition(undefined, undefined), true);
});
