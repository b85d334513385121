import assert from "node:assert/strict";
import { appendFile, mkdtemp, readFile, rm, truncate, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { createMemoryLedger } from "../main/open-ledger.ts";
import { attemptOf } from "../../../test/support/campaigns.ts";
import type { Attempt } from "./attempt.ts";
import { battleKey } from "./attempt.ts";
import type { Ledger } from "./ledger.ts";
import { openResultsFile } from "./results-file.ts";

async function place(t: TestContext): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), "ias-results-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  return join(folder, "results.jsonl");
}

async function ended(ledger: Ledger, item: string): Promise<Attempt> {
  const writer = await ledger.begin(attemptOf({ battle: battleKey("purple", item, 1), item }));
  await writer.end({ outcome: { kind: "judged", verdict: { pass: true, score: 1 }, answer: "\u00e4 \n \u2028" }, endedAt: 1 });
  return writer.attempt;
}

async function itemsOf(path: string): Promise<readonly string[]> {
  const text = await readFile(path, "utf8");
  assert.ok(text === "" || text.endsWith("\n"));
  return text
    .split("\n")
    .slice(0, -1)
    .map((line) => (JSON.parse(line) as Attempt).item);
}

describe("results.jsonl", () => {
  it("has a line for each attempt that has ended, in the order of their ends", async (t) => {
    await using ledger = createMemoryLedger();
    const path = await place(t);
    await ledger.begin(attemptOf({ battle: "purple/running/1" }));
    const file = await openResultsFile(path, ledger);
    for (const item of ["b", "a", "c"]) await file.add(await ended(ledger, item));
    await file[Symbol.asyncDispose]();
    assert.deepEqual(await itemsOf(path), ["b", "a", "c"]);
    await (await openResultsFile(path, ledger))[Symbol.asyncDispose]();
    assert.deepEqual(await itemsOf(path), ["b", "a", "c"], "what is right stays");
  });

  for (const [harm, work] of [
    ["a torn last line", async (path: string) => appendFile(path, '{"battle":"purple/c')],
    ["a last line without its end", async (path: string) => truncate(path, (await readFile(path)).length - 1)],
    ["a lost line", async (path: string) => writeFile(path, `${(await readFile(path, "utf8")).split("\n")[0]}\n`)],
    ["no file", async (path: string) => rm(path)],
    ["a line of something else", async (path: string) => appendFile(path, "hello\nhello\n")],
    ["a line twice", async (path: string) => appendFile(path, await readFile(path))],
    ["nothing but a torn line", async (path: string) => writeFile(path, '{"battle":"purple/c')],
  ] as const) {
    it(`is whole again after ${harm}`, async (t) => {
      await using ledger = createMemoryLedger();
      const path = await place(t);
      const file = await openResultsFile(path, ledger);
      for (const item of ["a", "b", "c"]) await file.add(await ended(ledger, item));
      await file[Symbol.asyncDispose]();
      await work(path);
      await (await openResultsFile(path, ledger))[Symbol.asyncDispose]();
      assert.deepEqual(await itemsOf(path), ["a", "b", "c"]);
    });
  }

  it("says which attempts are discounted", async (t) => {
    await using ledger = createMemoryLedger();
    const path = await place(t);
    await using file = await openResultsFile(path, ledger);
    const attempt = await ended(ledger, "a");
    await file.add(attempt);
    await ledger.discount(attempt.battle);
    await file.rewrite();
    assert.match(await readFile(path, "utf8"), /"discounted":true/);
  });
});
