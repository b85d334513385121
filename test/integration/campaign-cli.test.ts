import assert from "node:assert/strict";
import { once } from "node:events";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import type { Attempt } from "../../src/lib/campaign/attempt.ts";
import type { Progress, Summary } from "../../src/lib/campaign/progress.ts";
import { HOSTILE } from "../support/hostile.ts";
import { startIas, startServe } from "../support/ias-process.ts";

// `ias campaign` as a user has it: real processes, a real served subject, a real folder. No step waits for a time.

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "ias-campaign-"));
  t.after(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }));
  return path;
}

/** Knows one capital, and says it word by word; asks the gate, where there is one, between two words. */
const SUBJECT = `
export const agents = [{ id: "geographer", engine: { async *run(turn: { input: unknown }, { signal }: { signal: AbortSignal }) {
  const asked = JSON.stringify(turn.input);
  const words = asked.includes("France") ? ["The ", "capital ", "is ", "Paris."] : ["I ", "do ", "not ", "know."];
  for (const [at, text] of words.entries()) {
    yield { kind: "text", text };
    if (at === 1 && process.env["GATE"]) await fetch(process.env["GATE"], { signal });
  }
} } }];
`;

async function subject(t: TestContext, cwd: string, env: Readonly<Record<string, string>> = {}): Promise<string> {
  writeFileSync(join(cwd, "agents.ts"), SUBJECT);
  const server = await startServe(t, ["agents.ts"], { cwd, env });
  return `${server.url}/a2a/geographer`;
}

function campaignFile(cwd: string, url: string, change: Readonly<Record<string, unknown>> = {}): void {
  const items = [
    { id: "france", prompt: "What is the capital of France?", expected: "Paris" },
    { id: "spain", prompt: "What is the capital of Spain?", expected: "Madrid" },
  ];
  const campaign = { name: "capitals", items, subjects: [{ id: "geographer", url }], green: { kind: "contains" }, repeat: 2, ...change };
  // JSON is YAML.
  writeFileSync(join(cwd, "capitals.yaml"), JSON.stringify(campaign));
}

async function ias(t: TestContext, cwd: string, args: readonly string[]) {
  const ran = startIas(t, ["campaign", ...args], { cwd });
  const code = await ran.ended;
  return { code, out: ran.out, err: ran.err };
}

const lines = <T>(text: string): readonly T[] =>
  text
    .trimEnd()
    .split("\n")
    .map((line) => JSON.parse(line) as T);

/** Holds the subject's answers until it is opened. */
async function gate(t: TestContext) {
  const waiting: ServerResponse[] = [];
  let isOpen = false;
  let asked = Promise.withResolvers<void>();
  const server = createServer((_request, response) => {
    if (isOpen) return void response.end();
    waiting.push(response);
    asked.resolve();
    asked = Promise.withResolvers();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    env: { GATE: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    async until(count: number) {
      while (waiting.length < count) await asked.promise;
    },
    open() {
      isOpen = true;
      for (const response of waiting) response.end();
    },
  };
}

test("nothing of a scenario is started for a demand that its file cannot meet", async (t) => {
  const cwd = folder(t);
  const program = `${process.execPath} -e require("fs").writeFileSync("started","")`;
  const agent = (role: string) => `endpoint = "http://127.0.0.1:9"\ncmd = '${program}'\n${role}`;
  writeFileSync(join(cwd, "scenario.toml"), `[green_agent]\n${agent("")}\n[[participants]]\n${agent('role = "agent"')}\n[config]\n`);
  const { code, err } = await ias(t, cwd, ["run", "scenario.toml", "--liveness", "metrics"]);
  assert.equal(code, 1);
  assert.match(err, /agent cannot be judged by its engine's counters, as `liveness: metrics` demands: no metricsUrl is known/);
  assert.equal(existsSync(join(cwd, "started")), false);
});

test("a campaign from nothing to a report; the same command again finds it done; another configuration is refused", async (t) => {
  const cwd = folder(t);
  const url = await subject(t, cwd);
  campaignFile(cwd, url);
  const first = await ias(t, cwd, ["run", "capitals.yaml"]);
  assert.equal(first.code, 0, first.err);
  assert.match(first.out, /^capitals: done, 4 of 4 judged, 50 % passed \(2; /);
  const results = join(cwd, "results", "capitals");
  const attempts = lines<Attempt>(readFileSync(join(results, "results.jsonl"), "utf8"));
  assert.deepEqual(attempts.map(({ battle }) => battle).sort(), ["geographer/france/1", "geographer/france/2", "geographer/spain/1", "geographer/spain/2"]);
  for (const { outcome, measured } of attempts) {
    assert.equal(outcome?.kind, "judged");
    assert.equal(measured.contents, 4, "one event for each word");
  }
  const summary = JSON.parse(readFileSync(join(results, "summary.json"), "utf8")) as Summary;
  assert.deepEqual([summary.state, summary.judged, summary.passed, summary.attempts], ["done", 4, 2, 4]);

  const again = await ias(t, cwd, ["run", "capitals.yaml", "--json"]);
  assert.equal(again.code, 0);
  const kinds = lines<Progress>(again.out).map(({ kind }) => kind);
  assert.deepEqual([kinds[0], kinds.at(-1), kinds.includes("attempt-started")], ["started", "ended", false]);

  const status = await ias(t, cwd, ["status", "--json"]);
  const told = JSON.parse(status.out) as { readonly folder: string; readonly summary: Summary };
  assert.equal(told.folder, "results/capitals");
  assert.deepEqual([told.summary.state, told.summary.judged, told.summary.passed], ["done", 4, 2]);

  for (const [format, file] of Object.entries({ html: "report.html", csv: "report.csv", junit: "report.xml" })) {
    const report = await ias(t, cwd, ["report", "capitals", "--format", format]);
    assert.deepEqual([report.code, report.out], [0, `results/capitals/${file}\n`]);
    assert.ok(existsSync(join(results, file)));
  }
  assert.equal(readFileSync(join(results, "report.html"), "utf8").match(/class="spark"/g)?.length, 4);

  campaignFile(cwd, url, { repeat: 3 });
  const other = await ias(t, cwd, ["run", "capitals.yaml"]);
  assert.deepEqual([other.code, other.out], [1, ""]);
  assert.match(other.err, /results\/capitals belongs to the configuration [0-9a-f]{12}; this one is [0-9a-f]{12}\. It differs in repeat: 2 → 3\. /);
  assert.equal((await ias(t, cwd, ["run", "capitals.yaml", "--out", "results/three"])).code, 0);
  const compared = await ias(t, cwd, ["compare", "capitals", "three"]);
  assert.match(compared.out, /^Passed: 50 % \(2 of 4; .*No item's pass rate differs\./s);
});

test("a threshold that is missed exits 100", async (t) => {
  const cwd = folder(t);
  campaignFile(cwd, await subject(t, cwd), { passThreshold: 0.9, repeat: 1 });
  const { code, out } = await ias(t, cwd, ["run", "capitals.yaml"]);
  assert.equal(code, 100);
  assert.match(out, /the threshold of 90 % is missed/);
});

test("Ctrl-C leaves in order with 130; the next run goes on, and each battle counts once", async (t) => {
  const cwd = folder(t);
  const held = await gate(t);
  campaignFile(cwd, await subject(t, cwd, held.env), { concurrency: 2 });
  const first = startIas(t, ["campaign", "run", "capitals.yaml"], { cwd });
  await held.until(2);
  first.child.kill("SIGINT");
  assert.equal(await first.ended, 130);
  assert.match(first.err, /Stopping: nothing new starts/);
  held.open();
  const second = await ias(t, cwd, ["run", "capitals.yaml"]);
  assert.equal(second.code, 0, second.err);
  assert.match(second.err, /goes on where it stood/);
  assert.match(second.out, /4 of 4 judged, 50 % passed/);
  const judged = lines<Attempt>(readFileSync(join(cwd, "results/capitals/results.jsonl"), "utf8")).filter(({ outcome }) => outcome?.kind === "judged");
  assert.equal(new Set(judged.map(({ battle }) => battle)).size, 4);
  assert.equal(judged.length, 4);
});
test("from another process a campaign is paused, told about, and canceled", async (t) => {
  const cwd = folder(t);
  const held = await gate(t);
  campaignFile(cwd, await subject(t, cwd, held.env), { concurrency: 1 });
  const run = startIas(t, ["campaign", "run", "capitals.yaml"], { cwd });
  await held.until(1);
  assert.equal((await ias(t, cwd, ["pause", "capitals"])).code, 0);
  assert.match((await ias(t, cwd, ["status"])).out, /1 attempt under way\n    geographer · \w+, for \d+:\d\d\n  to be paused: `ias campaign resume` goes on/);
  assert.equal((await ias(t, cwd, ["cancel", "capitals"])).code, 0);
  assert.equal(await run.ended, 130);
  assert.match(run.out, /^capitals: canceled, 0 of 4 judged/);
});

test("requeued battles are tried again and their attempts so far count for nothing", async (t) => {
  const cwd = folder(t);
  campaignFile(cwd, await subject(t, cwd), { repeat: 1 });
  assert.equal((await ias(t, cwd, ["run", "capitals.yaml"])).code, 0);
  assert.equal(
    (await ias(t, cwd, ["requeue", "capitals", "france"])).out,
    "1 battle to be tried again. Nobody runs the campaign now: the next `ias campaign run` does it.\n",
  );
  const { code, out } = await ias(t, cwd, ["run", "capitals.yaml"]);
  assert.equal(code, 0);
  assert.match(out, /2 of 2 judged, 50 % passed.*\n  3 attempts/);
  const attempts = lines<Attempt>(readFileSync(join(cwd, "results/capitals/results.jsonl"), "utf8"));
  assert.deepEqual(
    attempts.filter(({ item }) => item === "france").map(({ attempt, discounted }) => [attempt, discounted ?? false]),
    [
      [1, true],
      [2, false],
    ],
  );
});

test("a hostile subject drives no terminal, no spreadsheet, no page, on any way that its words take", async (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, "hostile.json"), JSON.stringify(HOSTILE));
  writeFileSync(
    join(cwd, "agents.ts"),
    `import { readFileSync } from "node:fs";
const texts: string[] = JSON.parse(readFileSync(new URL("hostile.json", import.meta.url), "utf8"));
export const agents = [{ id: "geographer", engine: { async *run() {
  for (const text of texts) yield { kind: "text", text };
  throw new Error(texts.join(" "));
} } }];`,
  );
  const server = await startServe(t, ["agents.ts"], { cwd });
  const items = HOSTILE.slice(0, 3).map((id) => ({ id, prompt: id, expected: "x" }));
  campaignFile(cwd, `${server.url}/a2a/geographer`, { items, repeat: 1, retries: { baseMs: 1, maxMs: 1 } });
  const ran = await ias(t, cwd, ["run", "capitals.yaml", "--verbose"]);
  assert.equal(ran.code, 100, ran.err);
  const shown = [ran.out, ran.err];
  for (const args of [
    ["run", "capitals.yaml", "--json", "--verbose"],
    ["status"],
    ["status", "--json"],
    ["report", "--format", "json", "--out", "-"],
    ["compare", "capitals", "capitals"],
  ]) {
    const { out, err } = await ias(t, cwd, args);
    shown.push(out, err);
  }
  for (const format of ["csv", "html", "junit", "markdown", "jsonl"]) assert.equal((await ias(t, cwd, ["report", "--format", format])).code, 0);
  const file = (name: string) => readFileSync(join(cwd, "results/capitals", name), "utf8");
  shown.push(
    ...["results.jsonl", "summary.json", "report.csv", "report.html", "report.xml", "report.md", "report.jsonl"].map((name) =>
      file(name).replaceAll("\r\n", "\n"),
    ),
  );
  // eslint-disable-next-line no-control-regex -- what must not be there
  for (const text of shown) assert.doesNotMatch(text, /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/);
  assert.ok(
    shown.some((text) => text.includes("pwned")),
    "it was said at all",
  );
  assert.doesNotMatch(file("report.csv"), /(?:^|,)"?[=+@]/m);
  assert.doesNotMatch(file("report.html"), /<(?:img|script(?! type="application\/json"))/);
});
