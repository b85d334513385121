import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { cutText, splitText } from "./cut-text.ts";

test("a text that fits stays as it is, a longer one is its beginning and an ellipsis", () => {
  assert.equal(cutText("lanes", 5), "lanes");
  assert.equal(cutText("lanes", 4), "lan…");
  assert.equal(cutText("ab😀cd", 4), "ab…", "half of a character is none");
  assert.equal(cutText("ab😀cd", 5), "ab😀…");
});

test("what is cut is no longer than asked, and as well-formed as the text was", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 2, max: 20 }), (text, max) => {
      const cut = cutText(text, max);
      assert.ok(cut.length <= max && cut.isWellFormed());
      assert.ok(cut === text || text.startsWith(cut.slice(0, -1)));
    }),
  );
});

test("pieces of a text are the text, each as long as asked at most and well-formed", () => {
  fc.assert(
    fc.property(fc.string({ unit: "grapheme" }), fc.integer({ min: 2, max: 20 }), (text, max) => {
      const pieces = splitText(text, max);
      assert.equal(pieces.join(""), text);
      assert.ok(pieces.every((piece) => piece.length <= max && piece.isWellFormed()));
    }),
  );
});
