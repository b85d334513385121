import { execFileSync } from "node:child_process";
import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { campaignRows, type Value } from "./harness/campaign-rows.ts";
import { buildIas } from "./harness/program.ts";

/**
 * What campaigns cost: `npm run bench:campaign [-- rows…]`. Each row that is run takes the place of its last measurement in `campaign-results.json` and
 * `campaign-results.md`; the other rows stay, each with its own commit, time and load. `BENCH_PROFILE=<folder>` keeps CPU profiles of the runner.
 */
interface Measurement {
  readonly commit: string;
  readonly when: string;
  readonly node: string;
  readonly machine: string;
  readonly load: string;
  readonly values: readonly Value[];
}

const FOLDER = new URL(".", import.meta.url);
const names = process.argv.slice(2);
const unknown = names.find((name) => !campaignRows.some((row) => row.name === name));
if (unknown !== undefined) {
  console.error(`There is no row ${JSON.stringify(unknown)}; there are ${campaignRows.map(({ name }) => name).join(", ")}.`);
  process.exit(2);
}
const path = new URL("campaign-results.json", FOLDER);
const results: Record<string, Measurement> = existsSync(path) ? (JSON.parse(readFileSync(path, "utf8")) as Record<string, Measurement>) : {};
using ias = buildIas();

for (const row of campaignRows) {
  if (names.length > 0 && !names.includes(row.name)) continue;
  const before = loadOf();
  console.log(`${row.name}: ${row.title}`);
  const values = await row.run(ias);
  for (const { what, value, unit, limit } of values) console.log(`  ${what}: ${show(value)}${unit}${limit === undefined ? "" : ` (limit ${limit}${unit})`}`);
  results[row.name] = {
    commit: readCommit(),
    when: new Date().toISOString(),
    node: process.version,
    machine: `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, ${Math.round(totalmem() / 2 ** 30)} GiB`,
    load: `${before} before, ${loadOf()} after (1 minute, this bench included)`,
    values,
  };
  writeFileSync(path, `${JSON.stringify(results, undefined, 2)}\n`);
  writeFileSync(new URL("campaign-results.md", FOLDER), toMarkdown());
}

function toMarkdown(): string {
  const measured = campaignRows.flatMap((row) => {
    const found = results[row.name];
    return found === undefined ? [] : [{ ...row, ...found }];
  });
  return [
    "# Results of the bench: campaigns",
    "",
    "Written by `npm run bench:campaign`; each row has its own commit, time and load. CPU is `process.cpuUsage()` of the process that is named, with all its",
    "threads; wall times and lag are also the machine's.",
    ...measured.flatMap(({ name, title, note, commit, when, node, machine, load, values }) => [
      "",
      `## ${title} (\`${name}\`)`,
      "",
      `${note.slice(0, 1).toUpperCase()}${note.slice(1)}.`,
      "",
      `- commit ${commit}, ${when}, node ${node}`,
      `- ${machine}; load ${load}`,
      "",
      "| what | measured | limit | |",
      "|---|---|---|---|",
      ...values.map(({ what, value, unit, limit }) => {
        const judged = limit === undefined ? "" : value <= limit ? "reached" : "**not reached**";
        return `| ${what} | ${show(value)}${unit} | ${limit === undefined ? "" : `${limit.toLocaleString("en")}${unit}`} | ${judged} |`;
      }),
    ]),
    "",
  ].join("\n");
}

function show(value: number): string {
  const size = Math.abs(value);
  return size >= 1000 ? Math.round(value).toLocaleString("en") : Number.isInteger(value) ? String(value) : value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}

function loadOf(): string {
  return (loadavg()[0] ?? 0).toFixed(2);
}

function readCommit(): string {
  const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8" }).trim();
  try {
    return git("rev-parse", "--short=12", "HEAD") + (git("status", "--porcelain", "--untracked-files=no") === "" ? "" : " with changes");
  } catch {
    return "unknown";
  }
}
