import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { createScorerLoader } from "./load-scorer.ts";

test("a scorer is a function of a module beside the campaign's file, loaded once", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ias-scorer-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(
    join(folder, "score.ts"),
    `let calls = 0;
     export default ({ answer }: { answer: string }) => ({ pass: answer === "yes", score: (calls += 1) / 10 });
     export const rule = "no function";`,
  );
  writeFileSync(join(folder, "broken.ts"), "throw new Error('not today');");
  const load = createScorerLoader(join(folder, "campaign.yaml"));
  const battle = { item: { id: "1", prompt: "" }, subject: "s", repeat: 1, answer: "yes", data: [], signal: new AbortController().signal };
  assert.deepEqual(await (await load("./score.ts", "default"))(battle), { pass: true, score: 0.1 });
  assert.deepEqual(await (await load("score.ts", "default"))(battle), { pass: true, score: 0.2 });
  await assert.rejects(load("score.ts", "rule"), { code: "configuration", message: /no function "rule"; it exports default, rule/ });
  await assert.rejects(load("score.ts", "toString"), { code: "configuration" });
  await assert.rejects(load("broken.ts", "default"), { code: "configuration", message: /cannot be loaded: not today/ });
  await assert.rejects(load("missing.ts", "default"), { code: "configuration", message: /"missing\.ts" of .*campaign\.yaml is not there/ });
});
