import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { readCursor, toCursor } from "./cursor.ts";
import { joinKey, keyText } from "./key.ts";

describe("cursors", () => {
  it("resume within the stream, at its floor and at its head", () => {
    const stream = { logId: "log1", head: 10, floor: 4 };
    for (const seq of [4, 5, 10]) assert.deepEqual(readCursor(toCursor("log1", seq), stream), { kind: "resume", seq });
    for (const seq of [0, 3, 11]) assert.deepEqual(readCursor(toCursor("log1", seq), stream), { kind: "reset" });
  });

  it("reset for whatever is not ours", () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 60 }), (text) => {
        assert.deepEqual(readCursor(text, { logId: "log1", head: 1e9, floor: 0 }), { kind: "reset" });
      }),
    );
    for (const text of ["log1.01", "log1.1e3", "log1.-1", "log1. 1", "LOG1.1", "log1.1.1", "log1.9999999999999999"]) {
      assert.deepEqual(readCursor(text, { logId: "log1", head: Number.MAX_SAFE_INTEGER, floor: 0 }), { kind: "reset" }, text);
    }
  });
});

describe("keys", () => {
  it("are injective, whatever the parts hold", () => {
    const part = fc.oneof(fc.string({ maxLength: 6 }), fc.constantFrom("", "/", "%2F", "-", "a/b", "a", "b"));
    fc.assert(
      fc.property(fc.tuple(part, part, part, part), fc.tuple(part, part, part, part), (a, b) => {
        fc.pre(a.every((text) => text.isWellFormed()) && b.every((text) => text.isWellFormed()));
        const toKey = ([tenant, user, agent, task]: readonly string[]): string =>
          keyText({ tenant: tenant ?? "", user: user ?? "", agent: agent ?? "", task: task ?? "" });
        assert.equal(toKey(a) === toKey(b), JSON.stringify(a) === JSON.stringify(b));
      }),
    );
    assert.equal(joinKey("a/b", "c"), "a%2Fb/c");
  });
});
