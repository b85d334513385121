import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import { cleanFilename, isTraversal } from "./filename.ts";

test("names are kept as people wrote them, without what systems or readers trip over", () => {
  const cases: readonly (readonly [string, string])[] = [
    ["report.pdf", "report.pdf"],
    ["Grüße aus 東京.txt", "Grüße aus 東京.txt"],
    ["C:\\fakepath\\photo.jpg", "photo.jpg"],
    ["/etc/passwd", "passwd"],
    [".htaccess", "htaccess"],
    ["a\u202Egpj.exe", "agpj.exe"],
    ["a\u0000b\r\nc.txt", "abc.txt"],
    ['<img src="x">.png', "_img src=_x__.png"],
    ["con.txt", "_con.txt"],
    ["NUL", "_NUL"],
    ["  spaced   out .txt ", "spaced out.txt"],
    ["", "file"],
    ["...", "file"],
    ["dir/", "file"],
  ];
  for (const [given, wanted] of cases) assert.equal(cleanFilename(given), wanted, JSON.stringify(given));
});

test("a long name keeps its ending", () => {
  const name = cleanFilename(`${"x".repeat(400)}.tar.gz`);
  assert.equal(name.length, 150);
  assert.ok(name.endsWith("x.gz"));
  assert.ok(cleanFilename(`${"😀".repeat(200)}.png`).isWellFormed());
});

test("whatever is given, the name is one segment, and cleaning again changes nothing", () => {
  fc.assert(
    fc.property(fc.string({ unit: "binary", maxLength: 300 }), (text) => {
      const name = cleanFilename(text);
      assert.ok(name.length > 0 && name.length <= 150 && !/[/\\\p{Cc}\p{Cf}<>:"|?*]/u.test(name) && name !== ".." && name.isWellFormed());
      assert.equal(cleanFilename(name), name);
    }),
    { numRuns: 300 },
  );
});

test("names that lead upwards are known in every writing", () => {
  for (const bad of ["..", "../x", "a/../b", "..\\x", "a\\..\\b", "%2e%2e/x", "..%2fx", "..%5Cx", " .. /x"]) assert.ok(isTraversal(bad), bad);
  for (const good of ["a..b", "..a", "...", "a/b", "x.tar..gz"]) assert.ok(!isTraversal(good), good);
});
