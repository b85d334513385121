import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { fitText, padText, textWidth } from "./text-width.ts";

test("wide characters count two cells, marks none", () => {
  assert.deepEqual(["abc", "日本", "e\u0301", "🚀", "가", "—", ""].map(textWidth), [3, 4, 1, 2, 2, 1, 0]);
});

test("text is cut by cells and never wider than asked", () => {
  assert.equal(fitText("日本語テキスト", 6), "日本…");
  assert.equal(fitText("one\ntwo", 20), "one two");
  assert.equal(fitText("\u001b[31mred\u0007", 20), "[31mred");
  assert.equal(fitText("abc", 0), "");
  assert.equal(padText("é", 3, "start"), "  é");
  fc.assert(
    fc.property(fc.string({ unit: "binary" }), fc.integer({ min: 1, max: 60 }), (text, width) => {
      assert.ok(textWidth(fitText(text, width)) <= width);
      assert.equal(textWidth(padText(text, width)), width);
    }),
  );
});
