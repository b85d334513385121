import { MAX_GENERATOR, type Measured } from "./measure.ts";
import type { Row } from "./rows.ts";
import type { Target } from "./targets.ts";

/** One measurement with its place. */
export interface Cell extends Measured {
  readonly row: string;
  readonly target: string;
  readonly run: number;
}

/** How a row was measured. */
export interface RowFacts {
  readonly commit: string;
  readonly when: string;
  readonly load: string;
  readonly runs: number;
}

export interface Results {
  /** Of the machine. */
  readonly facts: Readonly<Record<string, string | number>>;
  readonly measuredRows: Readonly<Record<string, RowFacts>>;
  /** What could not be measured, by row and target, and why. */
  readonly missing: ReadonlyMap<string, string>;
  readonly cells: readonly Cell[];
  readonly rows: readonly Row[];
  readonly targets: readonly Target[];
}

/** The results as a page: what is to be reached first, then a table a row. */
export function toMarkdown(results: Results): string {
  const { facts, rows, missing } = results;
  return [
    "# Results of the bench",
    "",
    "Written by `npm run bench`; `results.json` has each run. Numbers are medians with the lowest and highest run; ratios are to the floor that writes once an event,",
    "taken within each run, since the speed of a machine changes from run to run. CPU is the server's, with all its threads.",
    "",
    ...Object.entries(facts).map(([name, value]) => `- ${name}: ${value}`),
    ...[...missing].map(([name, why]) => `- not measured: ${name} (${why.split("\n")[0]})`),
    "",
    "## To reach",
    "",
    "| what | limit | measured | |",
    "|---|---|---|---|",
    ...goals(results).map(({ what, limit, value, unit }) => {
      const judged = value === undefined ? "not measured" : value <= limit ? "reached" : "**not reached**";
      return `| ${what} | ${Math.abs(limit).toLocaleString("en")}${unit} | ${value === undefined ? "" : `${show(limit < 0 ? -value : value)}${unit}`} | ${judged} |`;
    }),
    "",
    ...rows.flatMap((row) => table(results, row)),
  ].join("\n");
}

function table(results: Results, row: Row): readonly string[] {
  const lines = results.targets.flatMap((target) => {
    const cells = cellsOf(results, row.name, target.name);
    if (cells.length === 0) return [];
    const ratio = ratios(results, row.name, target.name, (cell) => cell.cpu);
    const extra = Object.keys(cells[0]?.extra ?? {}).map((name) => `${name} ${show(median(cells.map((cell) => cell.extra[name] ?? Number.NaN)))}`);
    const cut = cells.filter((cell) => cell.stopped);
    const notes = [...extra, ...(cut.length > 0 ? [`cut off at ${Math.round(median(cut.map((cell) => cell.events))).toLocaleString("en")} events`] : [])];
    const invalid = cells.filter((cell) => cell.generator > MAX_GENERATOR).length;
    if (invalid > 0) notes.push(`**invalid: generator above ${MAX_GENERATOR * 100} % in ${invalid} of ${cells.length} runs**`);
    const columns = [
      target.title,
      spread(cells.map((cell) => cell.cpu)),
      ratio.length === 0 ? "" : `${spread(ratio)}×`,
      Math.round(median(cells.map((cell) => cell.events / cell.seconds))).toLocaleString("en"),
      show(median(cells.map((cell) => cell.p50))),
      show(median(cells.map((cell) => cell.p99))),
      show(median(cells.map((cell) => cell.peak)) / 2 ** 20),
      `${show(median(cells.map((cell) => cell.generator)) * 100)} %`,
      `${show(median(cells.map((cell) => cell.others)) * 100)} %`,
      notes.join("; "),
    ];
    return [`| ${columns.join(" | ")} |`];
  });
  if (lines.length === 0) return [];
  const facts = results.measuredRows[row.name];
  return [
    `## ${row.title} (\`${row.name}\`)`,
    "",
    ...(row.note === undefined ? [] : [`${row.note[0]?.toUpperCase()}${row.note.slice(1)}.`, ""]),
    ...(facts === undefined ? [] : [`${facts.runs} runs at ${facts.commit}, ${facts.when}; load ${facts.load}.`, ""]),
    "| server | CPU µs/event | to the floor | events/s | p50 ms | p99 ms | peak MiB | generator | others | |",
    "|---|---|---|---|---|---|---|---|---|---|",
    ...lines,
    "",
  ];
}

interface Goal {
  readonly what: string;
  readonly limit: number;
  readonly value: number | undefined;
  readonly unit: string;
}

/** What issue and DESIGN ask for. A lower bound is put as an upper bound of the negative. */
function goals(results: Results): readonly Goal[] {
  const goals: Goal[] = [];
  const add = (what: string, limit: number, unit: string, values: readonly number[]): void =>
    void goals.push({ what, limit, unit, value: values.length === 0 ? undefined : median(values) });
  const cpu = (cell: Cell): number => cell.cpu;
  for (const row of ["50", "200", "paced"]) {
    add(`memory log, CPU, row ${row}`, 1.7, "× the floor", ratios(results, row, "memory", cpu));
    add(`SQLite, CPU, row ${row}`, 3, "× the floor", ratios(results, row, "sqlite", cpu));
    add(`SQLite (host), CPU, row ${row}`, 3, "× the floor", ratios(results, row, "sqlite-host", cpu));
  }
  add("SQLite, CPU, row 1", 4, "× the floor", ratios(results, "1", "sqlite", cpu));
  for (const target of ["memory", "sqlite", "sqlite-host"]) {
    add(
      `${target}, p50 over the floor's, row paced`,
      2,
      " ms",
      differences(results, "paced", target, (cell) => cell.p50),
    );
    add(
      `${target}, p99 over the floor's, row paced`,
      15,
      " ms",
      differences(results, "paced", target, (cell) => cell.p99),
    );
  }
  for (const target of ["memory", "sqlite", "sqlite-host"])
    add(`${target}, last tenth to first, row n200000`, 1.2, "×", extras(results, "n200000", target, "tenths"));
  for (const target of ["sqlite", "sqlite-host"]) add(`${target}, growth of the heap, row n200000`, 16, " MiB", extras(results, "n200000", target, "heap"));
  for (const target of ["memory", "sqlite"])
    add(
      `${target}, idle subscriber over the floor's`,
      8192,
      " bytes",
      differences(results, "idle", target, (cell) => cell.extra["bytes"] ?? Number.NaN),
    );
  for (const target of ["memory", "sqlite"])
    add(
      `${target}, catch-up, at least`,
      -200_000,
      " entries/s",
      extras(results, "catch-up", target, "rate").map((rate) => -rate),
    );
  return goals;
}

function cellsOf(results: Results, row: string, target: string): readonly Cell[] {
  return results.cells.filter((cell) => cell.row === row && cell.target === target);
}

function extras(results: Results, row: string, target: string, name: string): readonly number[] {
  return cellsOf(results, row, target).flatMap((cell) => cell.extra[name] ?? []);
}

/** A value over the floor's, run by run. */
function ratios(results: Results, row: string, target: string, of: (cell: Cell) => number): readonly number[] {
  return paired(results, row, target, (cell, floor) => of(cell) / of(floor));
}

function differences(results: Results, row: string, target: string, of: (cell: Cell) => number): readonly number[] {
  return paired(results, row, target, (cell, floor) => of(cell) - of(floor));
}

function paired(results: Results, row: string, target: string, compare: (cell: Cell, floor: Cell) => number): readonly number[] {
  const floors = cellsOf(results, row, "floor");
  return cellsOf(results, row, target).flatMap((cell) => {
    const floor = floors.find((one) => one.run === cell.run);
    return floor === undefined ? [] : [compare(cell, floor)];
  });
}

function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = sorted.length >> 1;
  return sorted.length % 2 === 1 ? (sorted[middle] ?? Number.NaN) : ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

function spread(values: readonly number[]): string {
  return `${show(median(values))} (${show(Math.min(...values))}–${show(Math.max(...values))})`;
}

function show(value: number): string {
  if (!Number.isFinite(value)) return "";
  const size = Math.abs(value);
  return size >= 1000 ? Math.round(value).toLocaleString("en") : value.toFixed(size >= 100 ? 0 : size >= 10 ? 1 : 2);
}
