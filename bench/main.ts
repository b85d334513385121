import { execFileSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg, totalmem } from "node:os";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";
import { type Cell, type RowFacts, toMarkdown } from "./harness/report.ts";
import { rows } from "./harness/rows.ts";
import { startTarget } from "./harness/server.ts";
import { targets } from "./harness/targets.ts";

const HELP = `npm run bench [-- [rows…] [--targets a,b] [--runs 5] [--out folder]]

Measures our server against bare floors and the official SDKs, interleaved, and writes results.md and results.json to bench/ (or --out). Rows that are
not measured stay as they were there, so that a long bench can be done row by row when a machine is quiet.
A peer that takes longer than BENCH_PEER_SECONDS (6) over a row is measured on what it did. BENCH_PROFILE=<folder> keeps CPU profiles of the servers.
Rows:    ${rows.map((row) => row.name).join(" ")}
Targets: ${targets.map((target) => target.name).join(" ")}`;

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { targets: { type: "string" }, runs: { type: "string", default: "5" }, out: { type: "string" }, help: { type: "boolean", short: "h" } },
});

if (values.help === true) {
  console.log(HELP);
  process.exit(0);
}
const chosenRows = choose(rows, positionals, "row");
const chosenTargets = choose(targets, values.targets?.split(",") ?? [], "target");
const runs = Number(values.runs);
const out = values.out ?? fileURLToPath(new URL(".", import.meta.url));
mkdirSync(out, { recursive: true });
const commit = readCommit();
const earlier = readEarlier();
const cells: Cell[] = [...earlier.cells];
/** How each row was measured. */
const measuredRows: Record<string, RowFacts> = { ...earlier.rows };
/** What could not be measured, by row and target. */
const missing = new Map<string, string>(Object.entries(earlier.missing));

for (const row of chosenRows) {
  const loadBefore = loadavg()[0] ?? 0;
  for (let run = 0; run < runs; run += 1) {
    const here = chosenTargets.filter((target) => row.kinds.includes(target.kind) && !missing.has(`${row.name} ${target.name}`));
    // Each run begins with another target, so that none is always first after the pause.
    for (const target of [...here.slice(run % here.length), ...here.slice(0, run % here.length)]) {
      const label = `${row.name} ${target.name} ${run + 1}/${runs}`;
      try {
        await using server = await startTarget(target);
        const measured = await row.run(server, target);
        cells.push({ row: row.name, target: target.name, run, ...measured });
        const { cpu, events, seconds, p50, p99, peak, generator, others, stopped, extra } = measured;
        console.log(
          [
            label.padEnd(28),
            `${cpu.toFixed(2)} µs`,
            `${Math.round(events / seconds)}/s`,
            `p50 ${p50.toFixed(2)} p99 ${p99.toFixed(2)} ms`,
            `peak ${Math.round(peak / 2 ** 20)} MiB`,
            `generator ${Math.round(generator * 100)} %`,
            `others ${Math.round(others * 100)} %`,
            ...Object.entries(extra).map(([name, value]) => `${name} ${value.toFixed(2)}`),
            ...(stopped ? [`stopped at ${events}`] : []),
          ].join("  "),
        );
      } catch (error) {
        console.log(`${label}: ${error instanceof Error ? error.message : String(error)}`);
        missing.set(`${row.name} ${target.name}`, error instanceof Error ? error.message : String(error));
      }
    }
  }
  measuredRows[row.name] = {
    commit,
    when: new Date().toISOString(),
    load: `${loadBefore.toFixed(2)} before, ${(loadavg()[0] ?? 0).toFixed(2)} after (1 minute, this bench included)`,
    runs,
  };
  write();
}

console.log(`\n${readFileSync(at("results.md"), "utf8")}`);

/** After each row, so that a run that is cut off leaves what it has. */
function write(): void {
  const facts = { node: process.version, cpu: `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}`, memory: `${Math.round(totalmem() / 2 ** 30)} GiB` };
  writeFileSync(at("results.json"), `${JSON.stringify({ facts, rows: measuredRows, missing: Object.fromEntries(missing), cells }, undefined, 1)}\n`);
  writeFileSync(at("results.md"), toMarkdown({ facts, measuredRows, missing, cells, rows, targets }));
}

/** The rows of an earlier run that are not measured now. */
function readEarlier(): {
  readonly rows: Readonly<Record<string, RowFacts>>;
  readonly missing: Readonly<Record<string, string>>;
  readonly cells: readonly Cell[];
} {
  if (!existsSync(at("results.json"))) return { rows: {}, missing: {}, cells: [] };
  const { rows: before, missing: gaps, cells: kept } = JSON.parse(readFileSync(at("results.json"), "utf8")) as ReturnType<typeof readEarlier>;
  const stays = (name: string): boolean => !chosenRows.some((row) => row.name === name);
  return {
    rows: Object.fromEntries(Object.entries(before).filter(([name]) => stays(name))),
    missing: Object.fromEntries(Object.entries(gaps).filter(([place]) => stays(place.split(" ")[0] ?? ""))),
    cells: kept.filter((cell) => stays(cell.row)),
  };
}

function at(name: string): URL {
  return new URL(name, pathToFileURL(`${out}/`));
}

function choose<T extends { readonly name: string }>(all: readonly T[], names: readonly string[], what: string): readonly T[] {
  const unknown = names.find((name) => !all.some((one) => one.name === name));
  if (unknown !== undefined) {
    console.error(`There is no ${what} ${JSON.stringify(unknown)}.\n\n${HELP}`);
    process.exit(2);
  }
  return names.length === 0 ? all : all.filter((one) => names.includes(one.name));
}

function readCommit(): string {
  const git = (...args: string[]): string => execFileSync("git", args, { encoding: "utf8" }).trim();
  try {
    return git("rev-parse", "--short=12", "HEAD") + (git("status", "--porcelain", "--untracked-files=no") === "" ? "" : " with changes");
  } catch {
    return "unknown";
  }
}
