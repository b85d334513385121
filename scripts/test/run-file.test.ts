import assert from "node:assert/strict";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, test } from "node:test";
import { runFile, type FileResult } from "./run-file.ts";

const folder = mkdtempSync(join(tmpdir(), "ias-runner-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const start = 'import { test } from "node:test";\n';

/** Runs a test file with this text; `limitSeconds` bounds the one that hangs. */
function runText(text: string, limitSeconds = 60): Promise<FileResult> {
  const file = join(folder, `${Math.random().toString(36).slice(2)}.test.ts`);
  writeFileSync(file, text);
  return runFile(file, { root: folder, env: process.env, limitSeconds });
}

test("tests that pass are counted, and their names are not problems", async () => {
  const result = await runText(`${start}test("a", () => {}); test("b", async (t) => { await t.test("c", () => {}); });`);
  assert.deepEqual([result.passed, result.failed, result.problems], [3, 0, []]);
});

test("a failed test is told with its path and its error", async () => {
  const result = await runText(`${start}test("a", () => {}); test("b", async (t) => { await t.test("c", () => { throw new Error("oh no"); }); });`);
  assert.equal(result.passed, 1);
  assert.equal(result.failed, 2);
  assert.equal(result.problems.length, 1);
  assert.match(result.problems[0] ?? "", /^b > c\n[^]*oh no/);
});

test("a skipped or todo test is a failure", async () => {
  const [skip, todo] = ["skip", "todo"];
  const result = await runText(`${start}test("a", () => {}); test.${skip}("b", () => {}); test.${todo}("c");`);
  assert.deepEqual([result.passed, result.failed, result.problems.length], [1, 2, 2]);
});

test("a file without tests is a failure", async () => {
  const result = await runText("export const nothing = 1;");
  assert.deepEqual([result.passed, result.failed, result.problems], [0, 1, ["ran no test"]]);
});

test("a process that ends before its tests do is a failure", async () => {
  const result = await runText(`${start}test("a", () => {}); test("b", () => process.exit(3));`);
  assert.ok(result.failed >= 1);
  assert.match(result.problems.join(), /code 3/);
});

test("a process that ends with 0 before its tests do is a failure", async () => {
  const result = await runText(`${start}test("a", () => {}); test("b", () => process.exit(0));`);
  assert.ok(result.failed >= 1, JSON.stringify(result));
});

test("an exit code other than 0 is a failure though every test passed", async () => {
  const result = await runText(`${start}test("a", () => {}); process.on("exit", () => (process.exitCode = 4));`);
  assert.deepEqual([result.passed, result.failed], [1, 1]);
});

test("an import that does not resolve is a failure, and its message is in the output", async () => {
  const result = await runText('import "./nope.ts";');
  assert.deepEqual([result.passed, result.failed], [0, 1]);
  assert.match(result.output, /nope\.ts/);
});

test("an error after the tests is a failure", async () => {
  const result = await runText(`${start}test("a", () => {}); setTimeout(() => { throw new Error("late"); }, 50);`);
  assert.equal(result.passed, 1);
  assert.ok(result.failed >= 1);
});

test("a file that hangs is ended at the limit", async () => {
  const result = await runText(`${start}test("a", () => {}); setInterval(() => {}, 1000);`, 2);
  assert.equal(result.failed, 1);
  assert.match(result.problems.join(), /did not end within 2 s/);
});

test("a process that a file leaves behind is ended and is a failure", async () => {
  const result = await runText(
    `${start}import { spawn } from "node:child_process";
     test("a", () => { const child = spawn("sleep", ["300"], { stdio: "ignore" }); child.unref(); console.log(child.pid); });`,
  );
  assert.match(result.problems.join(), /left processes running/);
  const file = `/proc/${result.output.trim()}/stat`;
  if (process.platform === "linux") assert.ok(!existsSync(file) || readFileSync(file, "utf8").includes(") Z "), "the process is gone");
});
