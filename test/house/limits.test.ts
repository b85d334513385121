import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { it } from "node:test";
import { limitsPage } from "../../scripts/limits-page.ts";
import { DEFAULT_LIMITS } from "../../src/lib/model/limits.ts";

it("docs/limits.md restates every limit as the code has it", () => {
  const page = readFileSync(new URL("../../docs/limits.md", import.meta.url), "utf8");
  assert.equal(page, limitsPage(), "run npm run -s limits > docs/limits.md");
  for (const name of Object.keys(DEFAULT_LIMITS)) assert.ok(page.includes(`\`${name}\``), name);
});
