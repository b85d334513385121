import assert from "node:assert/strict";
import { test } from "node:test";
import { projectFiles, read } from "../support/tree.ts";

const EXPORT = /^export (?:async )?(?:function\*?|const|interface|type|class) (\w+)/;

/** Exports that have no JSDoc right above them, with their lines. */
function bare(source: string): readonly string[] {
  const lines = source.split("\n");
  return lines.flatMap((line, at) => {
    const name = EXPORT.exec(line)?.[1];
    return name === undefined || lines[at - 1]?.endsWith("*/") === true ? [] : [`${at + 1} ${name}`];
  });
}

test("exports without a contract are found", () => {
  assert.deepEqual(bare("/** One. */\nexport const one = 1;\nexport const two = 2;\n\nexport function three() {}\nconst four = 4;"), ["3 two", "5 three"]);
});

test("every export of src/lib has a contract in JSDoc", () => {
  const sources = projectFiles().filter((file) => file.startsWith("src/lib/") && file.endsWith(".ts") && !file.endsWith(".test.ts"));
  assert.ok(sources.length > 100);
  assert.deepEqual(
    sources.flatMap((file) => bare(read(file)).map((found) => `${file}:${found}`)),
    [],
  );
});
