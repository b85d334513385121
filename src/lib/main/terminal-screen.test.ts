import assert from "node:assert/strict";
import test from "node:test";
import { createTerminalScreen } from "./terminal-screen.ts";

const ESC = "\u001b[";

function screen(options: { readonly columns?: number; readonly rows?: number; readonly color?: boolean } = {}) {
  const written: string[] = [];
  const size = { columns: options.columns ?? 40, rows: options.rows ?? 10 };
  let resized = (): void => undefined;
  const made = createTerminalScreen({
    write: (text) => written.push(text),
    size: () => size,
    color: options.color ?? false,
    onResize: (handler) => {
      resized = handler;
      return () => undefined;
    },
  });
  return { made, written, size, resize: () => resized() };
}

test("a frame is one write, replaces the one before, and is not written again when nothing changed", () => {
  const { made, written } = screen();
  made.draw([[{ text: "one" }], [{ text: "two" }]]);
  made.draw([[{ text: "one" }], [{ text: "two" }]]);
  made.draw([[{ text: "three" }]]);
  assert.equal(written.length, 2);
  assert.match(written[0] ?? "", /one.*\n.*two/s);
  assert.ok(written[1]?.includes(`\r${ESC}2A`), "goes up over both lines");
  assert.ok(written[1]?.includes(`${ESC}Kthree\n${ESC}J`), "and takes away what is left of them");
});

test("lines that are too wide or too many are cut", () => {
  const { made, written } = screen({ columns: 5, rows: 3 });
  made.draw(["abcdefgh", "日本語", "third"].map((text) => [{ text }]));
  assert.ok(written[0]?.includes(`${ESC}Kabcd…\n${ESC}K日本…\n${ESC}J`));
  assert.ok(!written[0]?.includes("third"));
});

test("a terminal that says that it has no size is taken for 80 × 24", () => {
  assert.deepEqual(screen({ columns: 0, rows: 0 }).made.size(), { columns: 80, rows: 24 });
});

test("after the window became narrower, the whole of what has wrapped is replaced", () => {
  const { made, written, size, resize } = screen({ columns: 40 });
  made.onResize(() => made.draw([[{ text: "x".repeat(40) }]]));
  made.draw([[{ text: "x".repeat(40) }]]);
  size.columns = 10;
  resize();
  assert.ok(written[1]?.includes(`${ESC}4A`));
});

test("lines above stay, the end leaves nothing and gives the cursor back", () => {
  const { made, written } = screen();
  made.draw([[{ text: "block" }]]);
  made.print([[{ text: "stays" }]]);
  assert.match(written[1] ?? "", /stays.*\n.*block/s);
  made.end();
  made.end();
  assert.deepEqual(written.slice(2), [`\r${ESC}1A${ESC}J${ESC}?25h`]);
});

test("text cannot drive the terminal, and tones are colours only where they are wanted", () => {
  const line = [{ text: "\u001b[2Jevil\r\u009b1m\u202e", tone: "bad" as const }];
  const plain = screen();
  plain.made.draw([line]);
  assert.ok(plain.written[0]?.includes("[2Jevil 1m") && !plain.written[0].includes(`${ESC}2J`) && !plain.written[0].includes("\u009b"));
  assert.ok(!plain.written[0]?.includes(`${ESC}31m`));
  const colored = screen({ color: true });
  colored.made.draw([line]);
  assert.ok(colored.written[0]?.includes(`${ESC}31m[2Jevil 1m${ESC}0m`));
});
