import assert from "node:assert/strict";
import { test } from "node:test";
import { projectFiles, read } from "../support/tree.ts";

const sources = projectFiles().filter((file) => file.startsWith("src/lib/") && /(?<!\.test)\.ts$/.test(file) && !file.startsWith("src/lib/testing/"));

test("docs/reference/reasons.md explains every finer reason that the source gives, and no other", () => {
  const rows = read("docs/reference/reasons.md");
  const explained = new Set(
    [...rows.matchAll(/^\| (`[^|]+) \|/gm)].flatMap(([, cell = ""]) => [...cell.matchAll(/`([A-Z_]+)`/g)].map(([, name = ""]) => name)),
  );
  const text = sources.map(read).join("\n");
  const given = new Set([...text.matchAll(/\breason: "([A-Z_]+)"/g)].map(([, name = ""]) => name));
  // The table of errors has reasons of its own, for each code.
  const ofCodes = new Set([...read("src/lib/a2a/errors.ts").matchAll(/reason: "([A-Z_]+)"/g)].map(([, name = ""]) => name));
  assert.ok(given.size > 40);
  assert.deepEqual(
    [...given].filter((name) => !explained.has(name) && !ofCodes.has(name)),
    [],
  );
  assert.deepEqual(
    [...explained].filter((name) => !text.includes(`"${name}"`)),
    [],
  );
});
