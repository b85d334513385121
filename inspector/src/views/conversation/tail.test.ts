import assert from "node:assert/strict";
import { test } from "node:test";
import type { Block } from "../../state/blocks.ts";
import { firstShown, SHOWN_CHARS } from "./tail.ts";

const words = (id: number, length: number): Block => ({ id, seq: id, rev: 0, kind: "text", artifact: "a", path: "", text: "x".repeat(length), open: false });

test("of a long transcript its end is drawn, as much as fits, and the last block whatever its size", () => {
  const blocks = Array.from({ length: 100 }, (_, index) => words(index, 20_000));
  const first = firstShown(blocks, SHOWN_CHARS);
  assert.ok(100 - first >= 10 && 100 - first <= 15, `${100 - first} blocks`);
  assert.ok(firstShown(blocks, 2 * SHOWN_CHARS) < first);
  assert.equal(firstShown([words(0, 10), words(1, SHOWN_CHARS * 2)], SHOWN_CHARS), 1);
});

test("a transcript of the usual length is drawn whole, and an empty one is empty", () => {
  assert.equal(
    firstShown(
      Array.from({ length: 20 }, (_, index) => words(index, 500)),
      SHOWN_CHARS,
    ),
    0,
  );
  assert.equal(firstShown([], SHOWN_CHARS), 0);
});
