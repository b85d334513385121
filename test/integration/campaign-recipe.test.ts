import assert from "node:assert/strict";
import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import type { Attempt } from "../../src/lib/campaign/attempt.ts";
import type { Summary } from "../../src/lib/campaign/progress.ts";
import { startIas, startServe } from "../support/ias-process.ts";
import { read, root } from "../support/tree.ts";

const RECIPE = "recipes/campaign";

test("the recipe's campaign fails nobody who is alive, asks again where one hung, and goes on where it stood", async (t) => {
  const cwd = mkdtempSync(join(tmpdir(), "ias-recipe-"));
  t.after(() => rmSync(cwd, { recursive: true, force: true, maxRetries: 3 }));
  const subject = await startServe(t, [`${root}${RECIPE}/subject.ts`, "--log", "memory"], { cwd });
  const file = read(`${RECIPE}/campaign.yaml`);
  assert.match(file, /http:\/\/127\.0\.0\.1:4100\b/, "the README starts the subject there");
  writeFileSync(join(cwd, "campaign.yaml"), file.replace("http://127.0.0.1:4100", subject.url));
  copyFileSync(`${root}${RECIPE}/brief.ts`, join(cwd, "brief.ts"));

  const run = startIas(t, ["campaign", "run", "campaign.yaml"], { cwd });
  assert.equal(await run.ended, 0, run.out + run.err);
  const folder = join(cwd, "results", "capitals");
  const lines = (): readonly Attempt[] =>
    readFileSync(join(folder, "results.jsonl"), "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line) as Attempt);
  const told = lines().map(({ item, attempt, outcome }) => {
    const end = outcome?.kind === "judged" ? outcome.verdict.pass : outcome?.kind === "failed" ? outcome.failure.class : outcome?.kind;
    return `${item} ${attempt} ${end}`;
  });
  assert.deepEqual(told.toSorted(), [
    "australia 1 false",
    "france 1 true",
    "france-briefly 1 true",
    "japan 1 true",
    "kenya 1 stall",
    "kenya 2 true",
    "peru 1 true",
  ]);
  const peru = lines().find(({ item }) => item === "peru");
  assert.ok((peru?.measured.durationMs ?? 0) > 10_000, "Peru took longer than a time-out would have allowed");
  const { state, judged, passed } = JSON.parse(readFileSync(join(folder, "summary.json"), "utf8")) as Summary;
  assert.deepEqual([state, judged, passed], ["done", 6, 5]);

  const again = startIas(t, ["campaign", "run", "campaign.yaml"], { cwd });
  assert.equal(await again.ended, 0, again.out + again.err);
  assert.equal(lines().length, 7, "nothing was asked anew");
  const report = startIas(t, ["campaign", "report", "results/capitals"], { cwd });
  assert.equal(await report.ended, 0, report.err);
  assert.ok(existsSync(join(folder, "report.html")));
});

test("the recipe's files have at most 60 lines together", () => {
  const files = readdirSync(`${root}${RECIPE}`).filter((name) => !name.endsWith(".md"));
  const count = files.reduce((lines, name) => lines + read(`${RECIPE}/${name}`).trimEnd().split("\n").length, 0);
  assert.ok(count <= 60, `${count} lines`);
});
