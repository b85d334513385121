import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createWholeText } from "./whole-text.ts";

const [HIGH = "", LOW = ""] = "🙂".split("");

describe("whole text", () => {
  it("holds half a character back until the piece that has the other", () => {
    const { next, finish } = createWholeText("refuse");
    assert.equal(next("artifact", "a", `x${HIGH}`), "x");
    assert.equal(next("artifact", "b", "other"), "other", "another text goes on meanwhile");
    assert.equal(next("artifact", "a", LOW), "🙂");
    assert.equal(next("artifact", "a", HIGH), "");
    assert.equal(next("artifact", "a", `${LOW}y`), "🙂y");
    finish();
  });

  it("tells texts apart: an artifact, words of a child, reasoning", () => {
    const { next, finish } = createWholeText("refuse");
    assert.equal(next("artifact", "a", HIGH), "");
    assert.equal(next("text", ["a"], HIGH), "");
    assert.equal(next("reasoning", "a", HIGH), "");
    assert.equal(next("text", ["a"], LOW), "🙂");
    assert.equal(next("reasoning", "a", LOW), "🙂");
    assert.throws(finish, { reason: "EVENT_INVALID", message: /half of a character \(U\+D83D, a lone surrogate\)/ });
    assert.equal(next("artifact", "a", LOW), "🙂");
    finish();
  });

  it("refuses a half that has no other", () => {
    const wrong = { code: "engine-failed", reason: "EVENT_INVALID" };
    assert.throws(() => createWholeText("refuse").next("artifact", "a", LOW), wrong);
    assert.throws(() => createWholeText("refuse").next("artifact", "a", `${HIGH}x`), wrong);
    const { next } = createWholeText("refuse");
    next("artifact", "a", HIGH);
    assert.throws(() => next("artifact", "a", "x"), wrong);
  });

  it("replaces a half that has no other where nobody can mend it", () => {
    const { next, begin, finish } = createWholeText("replace");
    assert.equal(next("artifact", "a", LOW), "\ufffd");
    assert.equal(next("artifact", "a", `x${HIGH}`), "x");
    assert.equal(next("artifact", "a", "y"), "\ufffdy");
    assert.equal(next("artifact", "a", HIGH), "");
    begin("artifact", "a");
    assert.equal(next("artifact", "a", "anew"), "anew");
    assert.equal(next("artifact", "a", HIGH), "");
    finish();
    const strict = createWholeText("refuse");
    strict.next("artifact", "a", HIGH);
    strict.begin("artifact", "b");
    assert.throws(() => strict.begin("artifact", "a"), { reason: "EVENT_INVALID" });
  });

  it("gives any text whole, however it is cut", () => {
    fc.assert(
      fc.property(fc.string({ unit: "binary" }), fc.array(fc.nat(3)), (text, cuts) => {
        const { next, finish } = createWholeText("refuse");
        const said: string[] = [];
        let at = 0;
        for (const cut of [...cuts, text.length]) {
          said.push(next("artifact", "a", text.slice(at, at + cut)));
          at += cut;
        }
        finish();
        assert.equal(said.join(""), text);
        assert.ok(said.every((piece) => piece.isWellFormed()));
      }),
    );
  });
});
