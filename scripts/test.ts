// `npm test`: every check and test that can run here, then what was not run and why, then one line: "N passed, N failed".
//   npm test                     all, with the engines that are on this machine
//   npm test -- --all            installs missing engines first; what is still missing is a failure (so is CI=true)
//   npm test -- log a2a/push     only the files whose path contains one of the words
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { given } from "../test/support/engines.ts";
import { engines, type EngineName } from "./engines.ts";
import { cacheFolder } from "./engines/install.ts";
import { checks, runCheck } from "./test/checks.ts";
import { findSuites, type Suite } from "./test/files.ts";
import { runFile, type FileResult } from "./test/run-file.ts";

const root = fileURLToPath(new URL("..", import.meta.url));
const { values, positionals: patterns } = parseArgs({ allowPositionals: true, options: { all: { type: "boolean", default: false } } });
const everything = values.all || process.env["CI"] === "true";
/** A file that takes longer hangs; the slowest integration file should need a fifth of it. */
const LIMIT_SECONDS = 1200;

const totals = { passed: 0, failed: 0 };
const say = (text: string): void => void process.stdout.write(`${text}\n`);
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(130));

const suites = findSuites(root, patterns);
const missing = await provide([...new Set(suites.flatMap((suite) => suite.needs))]);
if (patterns.length === 0) await runChecks();
const left = suites.filter((suite) => suite.needs.some((name) => missing.has(name)));
for (const suite of suites) if (!left.includes(suite)) await runSuite(suite);
report(left);
process.exit(totals.failed === 0 && totals.passed > 0 ? 0 : 1);

/** Installs what is missing when everything is asked for. Resolves to the engines that are still missing, each with the reason. */
async function provide(names: readonly string[]): Promise<Map<string, string>> {
  const cache = cacheFolder();
  const handed = given(process.env["IAS_ENGINES"]);
  const reasons = new Map<string, string>();
  const wanted: EngineName[] = [];
  for (const name of names) {
    if (!(name in engines)) reasons.set(name, "no such engine in scripts/engines.ts");
    else if (handed[name] === undefined && engines[name as EngineName].find(cache) === undefined) wanted.push(name as EngineName);
  }
  if (wanted.length === 0) return reasons;
  if (!everything) {
    for (const name of wanted) reasons.set(name, "not installed");
    return reasons;
  }
  say(`Installing into ${cache} (set IAS_CACHE for another folder):`);
  for (const name of wanted) say(`  ${name}: ${engines[name].about}`);
  const queue = [...wanted];
  const installer = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const started = performance.now();
      try {
        await engines[name].install(cache);
        if (engines[name].find(cache) === undefined) throw new Error("its install ran, but its files are not where they should be");
        say(`  ${name} installed  ${seconds(performance.now() - started)}`);
      } catch (error) {
        reasons.set(name, `could not be installed: ${error instanceof Error ? error.message : String(error)}`);
        say(`  ${name} FAILED  ${seconds(performance.now() - started)}`);
      }
    }
  };
  // Two at once: one unpacks while the other loads.
  await Promise.all([installer(), installer()]);
  return reasons;
}

async function runChecks(): Promise<void> {
  for (const check of checks) {
    const started = performance.now();
    const complaint = await runCheck(check, root);
    count(complaint === undefined ? 1 : 0, complaint === undefined ? 0 : 1);
    say(`${complaint === undefined ? "ok  " : "FAIL"} check ${check.name}  ${seconds(performance.now() - started)}`);
    if (complaint !== undefined) say(indent(complaint));
  }
}

async function runSuite(suite: Suite): Promise<void> {
  const started = performance.now();
  const before = { ...totals };
  const env = testEnvironment();
  const queue = [...suite.files];
  const worker = async (): Promise<void> => {
    for (let file = queue.shift(); file !== undefined; file = queue.shift()) tell(await runFile(file, { root, env, limitSeconds: LIMIT_SECONDS }));
  };
  say(`\n${suite.name}`);
  await Promise.all(Array.from({ length: suite.width === "one" ? 1 : availableParallelism() }, worker));
  const here = `${totals.passed - before.passed} passed, ${totals.failed - before.failed} failed`;
  say(`= ${suite.name}: ${here} in ${seconds(performance.now() - started)}`);
}

/** A test must not depend on what happens to be set in this shell, and must spend and send nothing. */
function testEnvironment(): NodeJS.ProcessEnv {
  const env: NodeJS.ProcessEnv = { ...process.env };
  const ours = ["PORT", "HOST", "PUBLIC_URL", "GRPC_PORT", "DATA_DIR", "MODEL", "ALLOWED_HOSTS", "ALLOWED_ORIGINS", "ALLOW_ANONYMOUS", "ALLOW_LOCAL_TARGETS"];
  for (const name of [...ours, "OPENAI_API_KEY", "OPENAI_BASE_URL", "OPENAI_AGENTS_DISABLE_TRACING", "NODE_TEST_CONTEXT"]) delete env[name];
  return env;
}

function tell(result: FileResult): void {
  count(result.passed, result.failed);
  const bad = result.failed > 0;
  say(`${bad ? "FAIL" : "ok  "} ${result.file}  ${result.passed} passed${bad ? `, ${result.failed} failed` : ""}  ${result.seconds.toFixed(1)} s`);
  for (const problem of result.problems) say(indent(problem));
  if (result.output !== "" && (bad || patterns.length > 0)) say(indent(`--- it printed:\n${result.output.trimEnd()}`));
}

function report(notRun: readonly Suite[]): void {
  if (notRun.length > 0) {
    say(`\nNot run${everything ? " (each file is a failure: everything was asked for)" : ""}:`);
    for (const suite of notRun) {
      say(`  ${suite.name}: ${suite.files.length === 1 ? "1 file" : `${suite.files.length} files`}`);
      if (everything) count(0, suite.files.length);
    }
    for (const [name, reason] of missing) {
      const known = name in engines ? engines[name as EngineName] : undefined;
      say(`  ${name}: ${reason}`);
      if (known !== undefined) say(`    what:   ${known.about}\n    get it: ${known.byHand}`);
    }
  }
  if (suites.length === 0) say(`\nNo test file has a path with ${patterns.join(" or ")}.`);
  say(`\n${totals.passed} passed, ${totals.failed} failed`);
}

function count(passed: number, failed: number): void {
  totals.passed += passed;
  totals.failed += failed;
}

function seconds(ms: number): string {
  return `${(ms / 1000).toFixed(1)} s`;
}

function indent(text: string): string {
  return text.replace(/^/gm, "       ");
}
