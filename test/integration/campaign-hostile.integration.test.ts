import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { text as readText } from "node:stream/consumers";
import { after, before, test, type TestContext } from "node:test";
import { fileURLToPath, pathToFileURL } from "node:url";
import { chromium } from "playwright-core";
import type { Attempt } from "../../src/lib/campaign/attempt.ts";
import { engine } from "../support/engines.ts";
import { HOSTILE } from "../support/hostile.ts";
import { type Hostility, startHostileSubject } from "../support/hostile-subject.ts";
import { startIas } from "../support/ias-process.ts";

// A campaign against a subject whose every word tries to drive what shows it, from the wire to each thing that a person opens: a terminal, a log file, the
// results, each kind of report. The reports' own tests (src/lib/campaign/report) hold the forms; this is the way of the text through all of it.

const MEGA = `=cmd|'/c calc'!A0 </script><script>document.title="pwned"</script>\u001b]52;c;ZXZpbA==\u0007\u202e\u2028`;
const HOSTILITIES: readonly Hostility[] = [
  ...HOSTILE.map((text) => ({ how: "answer", text }) as const),
  ...HOSTILE.map((text) => ({ how: "say", text }) as const),
  ...HOSTILE.map((text) => ({ how: "fail", text }) as const),
  ...HOSTILE.map((text) => ({ how: "refuse", text }) as const),
  { how: "answer", text: MEGA.repeat(Math.ceil(900_000 / MEGA.length)) },
  { how: "fail", text: MEGA.repeat(Math.ceil(900_000 / MEGA.length)) },
];
/** In names and ids: all that a header or a record's key may have trouble with too. */
const WORD = HOSTILE.join(" ").toWellFormed();
// eslint-disable-next-line no-control-regex -- what drives a terminal or hides text
const UNSAFE = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]/;

const cwd = mkdtempSync(join(tmpdir(), "ias-hostile-"));
const results = join(cwd, "results/hostile");
let subject: Awaited<ReturnType<typeof startHostileSubject>>;
before(async () => {
  subject = await startHostileSubject(HOSTILITIES, WORD);
  const items = HOSTILITIES.map(({ text }, index) => ({ id: `i${index}`, prompt: String(index), expected: text }));
  const retries = { maxAttempts: 1 };
  const campaign = { name: "hostile", items, subjects: [{ id: "purple", url: subject.url }], green: "contains", concurrency: 4, retries };
  writeFileSync(join(cwd, "hostile.yaml"), JSON.stringify(campaign));
});
after(async () => {
  await subject[Symbol.asyncDispose]();
  rmSync(cwd, { recursive: true, force: true, maxRetries: 3 });
});

/** A run in which battles failed. */
const MISSED = 100;

/** Runs `ias campaign …` without a terminal. */
async function campaign(t: TestContext, args: readonly string[], expected = 0): Promise<{ readonly out: string; readonly err: string }> {
  const child = startIas(t, ["campaign", ...args], { cwd });
  const code = await child.ended;
  assert.equal(code, expected, child.err.slice(-2000));
  return child;
}

/** Runs it with a terminal, and gives all that the terminal got. Its size is not told. */
async function onTerminal(args: readonly string[], expected = 0): Promise<string> {
  const { python } = engine("python-a2a-1");
  const ias = fileURLToPath(new URL("../../src/lib/main/ias.ts", import.meta.url));
  const command = [process.execPath, "--conditions=@infinite-agent-streams/source", ias, "campaign", ...args];
  const program = "import pty, sys; sys.exit(pty.spawn(sys.argv[1:]) >> 8)";
  const env = { PATH: process.env["PATH"], HOME: cwd, TERM: "xterm-256color" };
  const child = spawn(python, ["-c", program, ...command], { cwd, env, stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit");
  const shown = await readText(child.stdout);
  assert.deepEqual(await ended, [expected, null], shown.slice(-2000));
  return shown;
}

test("in a log without a terminal, every token included", async (t) => {
  const { out, err } = await campaign(t, ["run", "hostile.yaml", "--verbose"], MISSED);
  assert.doesNotMatch(out + err, UNSAFE);
  assert.ok(Math.max(...err.split("\n").map(({ length }) => length)) < 5000, "no line of a megabyte");
  assert.match(out, /hostile: /);
});

test("in results.jsonl: a line each, whole, and nothing is lost of what was said", () => {
  const file = readFileSync(join(results, "results.jsonl"), "utf8");
  assert.doesNotMatch(file, UNSAFE);
  const attempts = file
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as Attempt);
  assert.equal(attempts.length, HOSTILITIES.length);
  assert.doesNotMatch(readFileSync(join(results, "summary.json"), "utf8"), UNSAFE);
  for (const { item, outcome } of attempts) {
    const { how, text } = HOSTILITIES[Number(item.slice(1))] ?? assert.fail(item);
    if (outcome?.kind === "judged") {
      assert.ok(how === "answer" || how === "say", item);
      assert.equal(outcome.answer, text, item);
    } else {
      assert.ok(outcome?.kind === "failed" && (how === "fail" || how === "refuse"), `${item} ${JSON.stringify(outcome).slice(0, 500)}`);
      assert.equal(outcome.failure.class, how === "fail" ? "agent-failed" : "deterministic", item);
      assert.ok(outcome.failure.message.length <= 2000);
    }
  }
});

test("on a terminal, and in JSON lines: only our own sequences", async (t) => {
  const shown = await onTerminal(["run", "hostile.yaml", "--out", "results/terminal", "--verbose"], MISSED);
  // eslint-disable-next-line no-control-regex -- those of src/lib/main/terminal-screen.ts
  const rest = shown.replaceAll(/\u001b\[(?:\?2026[hl]|\?25[hl]|\?7[hl]|\d+A|K|J|(?:0|1|2|3[123])?m)|\r/g, "");
  assert.ok(shown.length - rest.length > 1000, "it was drawn");
  assert.doesNotMatch(rest, UNSAFE);
  for (const command of [["status"], ["compare"]]) {
    const folders = command[0] === "compare" ? ["hostile", "terminal"] : ["hostile"];
    const told = await onTerminal([...command, ...folders]);
    // eslint-disable-next-line no-control-regex -- colours
    assert.doesNotMatch(told.replaceAll(/\u001b\[\d*m|\r/g, ""), UNSAFE);
  }
  const { out } = await campaign(t, ["run", "hostile.yaml", "--out", "results/json", "--json", "--verbose"], MISSED);
  assert.doesNotMatch(out, UNSAFE);
  for (const line of out.trimEnd().split("\n")) JSON.parse(line);
});

test("in CSV, JUnit, Markdown, JSON and JSONL, as files and on stdout", async (t) => {
  for (const format of ["csv", "junit", "markdown", "json", "jsonl"]) {
    const file = join(cwd, `report.${format}`);
    await campaign(t, ["report", "hostile", "--format", format, "--out", file]);
    const text = readFileSync(file, "utf8");
    assert.doesNotMatch(text.replaceAll("\r\n", "\n"), UNSAFE, format);
    assert.ok(text.isWellFormed(), format);
    assert.doesNotMatch((await campaign(t, ["report", "hostile", "--format", format, "--out", "-"])).out, UNSAFE, `${format} on stdout`);
    if (format === "csv") {
      // A cell begins at the line's start or behind a comma, quoted or not.
      const cells = text.matchAll(/(?<=^|,|\r\n)(?:"((?:[^"]|"")*)"|([^",\r\n]*))(?=,|\r\n|$)/g);
      let count = 0;
      for (const [, quoted, plain] of cells) {
        count += 1;
        assert.doesNotMatch(quoted ?? plain ?? "", /^\s*[=+\-@＝＋－＠]/);
      }
      assert.ok(count > HOSTILITIES.length * 20);
    }
    // A quarter of a megabyte in one line of a table helps nobody.
    if (format === "markdown") assert.ok(Math.max(...text.split("\n").map(({ length }) => length)) < 20_000, "no line of a megabyte");
  }
});

test("in Chromium: the page is text, no script ran, nothing was loaded; JUnit is XML", async (t) => {
  const file = join(cwd, "report.html");
  await campaign(t, ["report", "hostile", "--out", file, "--against", "terminal"]);
  assert.doesNotMatch(readFileSync(file, "utf8"), UNSAFE);
  const { browser: executablePath } = engine("chromium");
  const browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking"] });
  t.after(() => browser.close());
  const page = await (await browser.newContext()).newPage();
  page.setDefaultTimeout(60_000);
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("console", (line) => wrong.push(line.text()));
  page.on("dialog", (dialog) => wrong.push(dialog.message()));
  const url = pathToFileURL(file).href;
  page.on("request", (request) => request.url() !== url && wrong.push(request.url()));
  await page.goto(url);
  assert.match(await page.title(), /hostile/);
  assert.equal(await page.locator("img, iframe, a, script:not([type='application/json'])").count(), 0);
  assert.ok((await page.locator("blockquote").allTextContents()).some((said) => said.includes(`<img src=x onerror="document.title='pwned'">`)));
  assert.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true, "a line of a megabyte is no wider than the page");
  assert.deepEqual(wrong, []);
  const xml = readFileSync(join(cwd, "report.junit"), "utf8");
  const [errors, cases] = await page.evaluate<readonly number[]>(
    `(() => { const xml = new DOMParser().parseFromString(${JSON.stringify(xml)}, "application/xml");
      return [xml.querySelectorAll("parsererror").length, xml.querySelectorAll("testcase").length]; })()`,
  );
  assert.deepEqual([errors, cases], [0, HOSTILITIES.length]);
});
