import { xmlText } from "./escape.ts";
import { type Battle, readBattles, type ReportSource } from "./source.ts";
import { itemName, reasonOf } from "./words.ts";

/** Of an answer, so that a CI's page stays readable. */
const MAX_OUTPUT = 10_000;

interface Counts {
  tests: number;
  failures: number;
  errors: number;
  skipped: number;
  seconds: number;
}

/**
 * JUnit XML: a suite for each subject, a case for each battle. A verdict that is not a pass is a `failure`, a battle without a verdict an `error`, one that
 * was canceled, has not ended or is to be tried again `skipped`; attempts that failed before the one that counts are lines of its `system-err`.
 */
export async function* toJunit(source: ReportSource): AsyncGenerator<string, void, undefined> {
  const suites = new Map<string, Counts>();
  for await (const battle of readBattles(source)) {
    const counts = suites.get(battle.subject) ?? { tests: 0, failures: 0, errors: 0, skipped: 0, seconds: 0 };
    const { kind } = caseOf(battle);
    counts.tests += 1;
    if (kind === "failure") counts.failures += 1;
    if (kind === "error") counts.errors += 1;
    if (kind === "skipped") counts.skipped += 1;
    counts.seconds += battle.result.measured.durationMs / 1000;
    suites.set(battle.subject, counts);
  }
  const all = [...suites.values()].reduce(
    (sum, one) => ({
      tests: sum.tests + one.tests,
      failures: sum.failures + one.failures,
      errors: sum.errors + one.errors,
      skipped: sum.skipped + one.skipped,
      seconds: sum.seconds + one.seconds,
    }),
    { tests: 0, failures: 0, errors: 0, skipped: 0, seconds: 0 },
  );
  yield `<?xml version="1.0" encoding="UTF-8"?>\n<testsuites name="${xmlText(source.campaign.name)}" ${attributes(all)}>\n`;
  let open: string | undefined;
  for await (const battle of readBattles(source)) {
    const { subject } = battle;
    if (open !== subject) {
      if (open !== undefined) yield "  </testsuite>\n";
      const counts = suites.get(subject);
      // It began between the two readings.
      if (counts === undefined) break;
      yield `  <testsuite name="${xmlText(subject)}" ${attributes(counts)}>\n`;
      open = subject;
    }
    yield toCase(battle);
  }
  yield `${open === undefined ? "" : "  </testsuite>\n"}</testsuites>\n`;
}

function attributes({ tests, failures, errors, skipped, seconds }: Counts): string {
  return `tests="${tests}" failures="${failures}" errors="${errors}" skipped="${skipped}" time="${seconds.toFixed(3)}"`;
}

function caseOf({ result, state }: Battle): { readonly kind: "passed" | "failure" | "error" | "skipped"; readonly type: string; readonly message: string } {
  const { outcome } = result;
  const message = reasonOf(result);
  if (state === "waiting") return { kind: "skipped", type: "waiting", message: `waits to be tried again: ${message}` };
  switch (outcome?.kind) {
    case "judged":
      return { kind: outcome.verdict.pass ? "passed" : "failure", type: "verdict", message: message === "" ? `score ${outcome.verdict.score}` : message };
    case "failed":
      return { kind: "error", type: outcome.failure.class, message };
    case "unknown":
      return { kind: "error", type: "unknown", message };
    case "canceled":
      return { kind: "skipped", type: "canceled", message: "canceled" };
    case undefined:
      return { kind: "skipped", type: "running", message: "has not ended" };
  }
}

function toCase(battle: Battle): string {
  const { result, subject, attempts } = battle;
  const { kind, type, message } = caseOf(battle);
  const answer = result.outcome?.kind === "judged" ? result.outcome.answer : "";
  const before = attempts.filter((attempt) => attempt !== result && attempt.outcome?.kind === "failed");
  const lines = before.map((attempt) => `attempt ${attempt.attempt}: ${reasonOf(attempt)}`);
  const inside = [
    kind === "failure" || kind === "error" ? `      <${kind} type="${xmlText(type)}" message="${xmlText(message)}"/>\n` : "",
    kind === "skipped" ? `      <skipped message="${xmlText(message)}"/>\n` : "",
    answer === "" ? "" : `      <system-out>${xmlText(answer.slice(0, MAX_OUTPUT))}</system-out>\n`,
    lines.length === 0 ? "" : `      <system-err>${xmlText(lines.join("\n"))}</system-err>\n`,
  ].join("");
  const head = `    <testcase name="${xmlText(itemName(result))}" classname="${xmlText(subject)}" time="${(result.measured.durationMs / 1000).toFixed(3)}"`;
  return inside === "" ? `${head}/>\n` : `${head}>\n${inside}    </testcase>\n`;
}
