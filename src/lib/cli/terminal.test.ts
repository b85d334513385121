import assert from "node:assert/strict";
import test from "node:test";
import { toJsonLine, toJsonText, toLine, toTerminal } from "./terminal.ts";

/** What hostile agents send: colours, clipboard (OSC 52), titles, cursor moves, overwriting, hidden and reordered text. */
const HOSTILE = [
  "\u001b[2J\u001b[31m",
  "\u001b]52;c;ZXZpbA==\u0007",
  "\u009b31m",
  "\u009d0;title\u009c",
  "safe\rEVIL",
  "\b\b\b",
  "\u202eexe.txt\u202c",
  "\u2066\u2069\u061c\u200f",
  "\u{e0041}\u{e0042}",
];
// eslint-disable-next-line no-control-regex -- these characters are what it is about
const DRIVES = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\u{e0000}-\u{e007f}]/u;

test("nothing that drives a terminal is left, however it is cut into chunks", () => {
  for (const text of HOSTILE) {
    assert.ok(!DRIVES.test(toTerminal(text)), JSON.stringify(text));
    for (let cut = 0; cut <= text.length; cut += 1) {
      const shown = toTerminal(text.slice(0, cut)) + toTerminal(text.slice(cut));
      assert.ok(!["\u001b", "\u009b", "\u009d", "\r", "\b", "\u0007", "\u202e", "\u2066"].some((one) => shown.includes(one)), JSON.stringify([text, cut]));
    }
  }
  assert.equal(toTerminal("tabs\tlines\r\nemoji 👩‍🚀 and ümlaut stay"), "tabs\tlines\nemoji 👩‍🚀 and ümlaut stay");
});

test("a line is one line, cut to its width", () => {
  assert.equal(toLine("a\n\n b\u2028c\u001b[1m", 80), "a b c[1m");
  assert.equal(toLine("abcdef", 4), "abc…");
});

test("JSON is safe on a terminal, and nothing of it is lost", () => {
  for (const text of HOSTILE) {
    const value = { text, [text]: 1 };
    assert.ok(!DRIVES.test(toJsonLine(value).trimEnd()), JSON.stringify(text));
    assert.equal(toJsonLine(value).split("\n").length, 2);
    assert.deepEqual(JSON.parse(toJsonLine(value)), value);
    assert.deepEqual(JSON.parse(toJsonText(value)), value);
  }
});
