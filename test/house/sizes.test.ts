import assert from "node:assert/strict";
import { test } from "node:test";
import { projectFiles, read } from "../support/tree.ts";

const LIMIT = 400;

/** Tests, tables (`*.table.ts`) and generated files may be longer. */
const EXEMPT = /\.test\.ts$|\.table\.ts$|generated|\.d\.ts$/;

test(`no source file has more than ${LIMIT} lines`, () => {
  const long = projectFiles()
    .filter((file) => /\.(ts|tsx|mts|js|mjs|css|py)$/.test(file) && !EXEMPT.test(file))
    .map((file) => ({ file, lines: read(file).split("\n").length - 1 }))
    .filter(({ lines }) => lines > LIMIT);
  assert.deepEqual(long, []);
});
