import assert from "node:assert/strict";
import { test } from "node:test";
import { importsIn, projectFiles } from "../support/tree.ts";

test("imports are found in every form, and not in comments", () => {
  const source = [
    'import { a } from "./a.ts";',
    "import type {",
    "  B,",
    '} from "./b.ts";',
    'import * as c from "c";',
    'import "./d.ts";',
    'export { e } from "./e.ts";',
    'export type { F } from "./f.ts";',
    "/* import",
    ' { g } from "./g.ts"; */',
    'const h = await import("./h.ts");',
    'import i, { type I } from "@scope/i/sub";',
    'export const text = "no import";',
  ].join("\n");
  const found = importsIn(source).map(({ target, line, typeOnly }) => `${line} ${target}${typeOnly ? " type" : ""}`);
  const expected = ["1 ./a.ts", "2 ./b.ts type", "5 c", "6 ./d.ts", "7 ./e.ts", "8 ./f.ts type", "11 ./h.ts", "12 @scope/i/sub"];
  assert.deepEqual(found, expected);
});

test("the project's files are found", () => {
  const files = projectFiles();
  assert.ok(files.includes("package.json") && files.includes("test/house/tree.test.ts"));
  assert.ok(!files.some((file) => file.startsWith("node_modules/") || file.startsWith("dist/")));
});
