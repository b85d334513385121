import { mkdtempSync, rmSync, statSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { createPulse, type Pulse } from "../../src/lib/campaign/pulse.ts";
import { summarize } from "../../src/lib/campaign/report/summarize.ts";
import { resolveThresholds } from "../../src/lib/liveness/thresholds.ts";
import { openLedger } from "../../src/lib/main/open-ledger.ts";
import { chunksOf, makeLedger, readResults, startCampaign } from "./campaigns.ts";
import { machineCpu } from "./measure.ts";
import type { Ias } from "./program.ts";

/** One number of a row; with a limit it is something to reach. */
export interface Value {
  readonly what: string;
  readonly unit: string;
  readonly value: number;
  /** The most that it may be. */
  readonly limit?: number;
}

/** One measurement of campaigns. */
export interface CampaignRow {
  readonly name: string;
  readonly title: string;
  readonly note: string;
  readonly run: (ias: Ias) => Promise<readonly Value[]>;
}

const MIB = 2 ** 20;

/** Every row, in the order of the page. */
export const campaignRows: readonly CampaignRow[] = [
  {
    name: "battles",
    title: "200 battles at once of 50 tokens a second",
    note: "`ias campaign run` with the SQLite ledger and a gap of 2 s as a stall; our server's load agent in another process. CPU and lag over 40 s, from 15 s after the start. Lag and pace are the runner's own only where others used little of the machine",
    run: battles,
  },
  {
    name: "watch",
    title: "1,000 watched battles",
    note: "the runner's watch of a battle, four looks a second, 50 contents a second between them; the time is told to it. The clock alone is what is to be reached",
    run: async () => watch(),
  },
  {
    name: "long",
    title: "10,000 short battles",
    note: "20 tokens each, 16 at once, as fast as they go. Memory of the runner at each 1,000 battles, after a full collection; growth from 2,000 on",
    run: long,
  },
  {
    name: "ledger",
    title: "a ledger of 10,000 battles",
    note: "answers of 8,000 characters that came in 100 pieces each. Commands with the start of their process, the middle of five; the reading alone in a process that runs",
    run: ledger,
  },
];

async function battles(ias: Ias): Promise<readonly Value[]> {
  const [count, rate, seconds] = [200, 50, 60];
  const n = seconds * rate;
  await using campaign = await startCampaign(ias, { battles: count, concurrency: count, n, rate, thresholds: { gapMs: "2s" } });
  await delay(15_000);
  const [before, subjectBefore, machineBefore, start] = [await campaign.program.sample("sample"), await campaign.subjectCpu(), machineCpu(), performance.now()];
  await delay(40_000);
  const [after, subjectAfter, machine] = [await campaign.program.sample("sample"), await campaign.subjectCpu(), machineCpu() - machineBefore];
  const window = (performance.now() - start) / 1000;
  if (before === undefined || after === undefined) throw new Error("The campaign ended too early.");
  const [cpu, subject] = [(after.cpu - before.cpu) / 1e6, (subjectAfter - subjectBefore) / 1e6];
  const collected = await campaign.program.sample("gc");
  const summary = await campaign.ended;
  const attempts = readResults(campaign.folder);
  const whole = attempts.filter((attempt) => chunksOf(attempt) === n).length;
  const episodes = attempts.flatMap((attempt) => attempt.episodes);
  const durations = attempts.map(({ measured }) => measured.durationMs);
  // Of the pace that battles had: they are slower than their subject's where the machine is too busy.
  const tokens = (count * n * window) / (durations.reduce((sum, one) => sum + one, 0) / durations.length / 1000);
  return [
    { what: "false stalls and retries", unit: "", value: episodes.filter(({ kind }) => kind === "stalled").length + attempts.length - count, limit: 0 },
    { what: "battles that lack a token", unit: "", value: count - Math.min(whole, summary.passed), limit: 0 },
    { what: "CPU of the runner, of a core", unit: " %", value: (cpu / window) * 100, limit: 100 },
    { what: "CPU of runner and subject, of two cores", unit: " %", value: ((cpu + subject) / window / 2) * 100, limit: 100 },
    { what: "CPU of the runner for a token", unit: " µs", value: (cpu * 1e6) / tokens },
    { what: "slow episodes (1 s)", unit: "", value: episodes.filter(({ kind }) => kind === "slow").length },
    { what: "event loop lag, p50", unit: " ms", value: after.lag.p50 },
    { what: "event loop lag, p99", unit: " ms", value: after.lag.p99 },
    { what: "event loop lag, most", unit: " ms", value: after.lag.max },
    { what: "longest gap in a battle", unit: " ms", value: Math.max(...attempts.map(({ measured }) => measured.gapMaxMs ?? 0)) },
    { what: "the pace: the longest battle, over 60 s", unit: " ms", value: Math.max(...durations) - seconds * 1000, limit: 2000 },
    { what: "resident memory of the runner", unit: " MiB", value: after.rss / MIB },
    { what: "its heap after a full collection", unit: " MiB", value: (collected?.heap ?? Number.NaN) / MIB },
    { what: "CPU that others used, of the machine", unit: " %", value: (Math.max(0, machine - cpu - subject) / window / availableParallelism()) * 100 },
  ];
}

function watch(): readonly Value[] {
  const [streams, rate, looks, seconds] = [1000, 50, 4, 120];
  let now = 0;
  let faults = 0;
  const event = (n: number) => ({
    artifactUpdate: { taskId: `t${n}`, contextId: "c", artifact: { artifactId: "a", parts: [{ text: " token" }] }, append: true },
  });
  const pulses = Array.from({ length: streams }, (_, n): { readonly pulse: Pulse; readonly event: ReturnType<typeof event> } => ({
    event: event(n),
    pulse: createPulse({
      mode: "stream",
      trusted: true,
      thresholds: resolveThresholds({ gapMs: 2000, adaptiveFactor: 4 }),
      engine: undefined,
      metricsIntervalMs: 1000,
      timeout: { ms: 300_000, why: "not used" },
      monotonic: () => now,
      onFault: () => void (faults += 1),
      onPhase: () => {},
      aside: () => {},
    }),
  }));
  let [ticking, hearing] = [0, 0];
  const cpuOf = (work: () => void): number => {
    const before = process.cpuUsage();
    work();
    const { user, system } = process.cpuUsage(before);
    return user + system;
  };
  for (let second = 0; second < seconds; second += 1) {
    for (let look = 0; look < looks; look += 1) {
      const heard = cpuOf(() => {
        for (let content = 0; content < rate / looks; content += 1) {
          now += 1000 / rate;
          for (const { pulse, event: one } of pulses) pulse.hear(one);
        }
      });
      const ticked = cpuOf(() => {
        for (const { pulse } of pulses) pulse.tick(now, 0);
      });
      // The first tenth is the warm-up.
      if (second >= seconds / 10) [ticking, hearing] = [ticking + ticked, hearing + heard];
    }
  }
  for (const { pulse } of pulses) pulse[Symbol.dispose]();
  const measured = seconds * 0.9;
  return [
    { what: "clock of 1,000 battles, of a core", unit: " %", value: (ticking / measured / 1e6) * 100, limit: 1 },
    { what: "a look at a battle", unit: " µs", value: ticking / measured / looks / streams },
    { what: "a content of a battle", unit: " µs", value: hearing / measured / (Math.ceil(rate / looks) * looks) / streams },
    { what: "false stalls", unit: "", value: faults, limit: 0 },
  ];
}

async function long(ias: Ias): Promise<readonly Value[]> {
  const [count, step] = [10_000, 1000];
  const start = performance.now();
  const memory: { readonly at: number; readonly heap: number; readonly rss: number; readonly cpu: number }[] = [];
  const asking: Promise<void>[] = [];
  await using campaign = await startCampaign(ias, { battles: count, concurrency: 16, n: 20, rate: 0, thresholds: { gapMs: "5s" } }, (ended) => {
    // The last one has ended when nobody can be asked any more.
    if (ended % step !== 0 && ended !== count - 50) return;
    if (ended === count) return;
    asking.push(
      campaign.program.sample("gc").then((sample) => {
        if (sample !== undefined) memory.push({ at: ended, heap: sample.heap / MIB, rss: sample.rss / MIB, cpu: sample.cpu / 1000 });
      }),
    );
  });
  const summary = await campaign.ended;
  await Promise.all(asking);
  const wall = (performance.now() - start) / 1000;
  const [early, last] = [memory.find(({ at }) => at === 2 * step), memory.at(-1)];
  if (early === undefined || last === undefined) throw new Error("The runner's memory was not told.");
  const status = await middle(() => ias.run(["campaign", "status", campaign.folder]));
  const report = await ias.run(["campaign", "report", campaign.folder]);
  return [
    { what: "battles that were not judged, and retries", unit: "", value: count - summary.judged + summary.attempts - count, limit: 0 },
    { what: "growth of the heap from 2,000 battles to the end", unit: " MiB", value: last.heap - early.heap, limit: 8 },
    { what: "growth of resident memory from 2,000 battles to the end", unit: " MiB", value: last.rss - early.rss, limit: 64 },
    { what: "`ias campaign status` on it, process and all", unit: " ms", value: status.wallMs, limit: 1000 },
    { what: "its CPU", unit: " ms", value: status.cpuMs },
    { what: "`report --format html` of it", unit: " ms", value: report.wallMs },
    { what: "its CPU", unit: " ms", value: report.cpuMs },
    { what: "size of the page", unit: " MiB", value: statSync(join(campaign.folder, "report.html")).size / MIB },
    { what: "wall time of the campaign", unit: " s", value: wall },
    { what: "CPU of the runner for a battle, from 2,000 on", unit: " ms", value: (last.cpu - early.cpu) / (last.at - early.at) },
    ...memory
      .flatMap(({ at, heap, rss }) => [
        { what: `heap after ${at.toLocaleString("en")} battles`, unit: " MiB", value: heap },
        { what: `resident memory after ${at.toLocaleString("en")} battles`, unit: " MiB", value: rss },
      ])
      .flat(),
  ];
}

async function ledger(ias: Ias): Promise<readonly Value[]> {
  const folder = mkdtempSync(join(tmpdir(), "ias-bench-ledger-"));
  try {
    await makeLedger(folder, { battles: 10_000, pieces: 100, pieceLength: 80 });
    const status = await middle(() => ias.run(["campaign", "status", folder]));
    const reading = await middle(() => readAlone(folder));
    const start = await middle(() => ias.run(["campaign", "status", "--help"]));
    const report = await ias.run(["campaign", "report", folder]);
    return [
      { what: "`ias campaign status`, process and all", unit: " ms", value: status.wallMs, limit: 1000 },
      { what: "its CPU", unit: " ms", value: status.cpuMs },
      { what: "the reading alone", unit: " ms", value: reading.wallMs },
      { what: "its CPU", unit: " ms", value: reading.cpuMs },
      { what: "the longest time in which the event loop waited for the reading", unit: " ms", value: reading.blockedMs },
      { what: "CPU of `ias campaign status --help`: the start of the process", unit: " ms", value: start.cpuMs },
      { what: "`report --format html`", unit: " ms", value: report.wallMs },
      { what: "its CPU", unit: " ms", value: report.cpuMs },
      { what: "size of the page", unit: " MiB", value: statSync(join(folder, "report.html")).size / MIB },
    ];
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

async function readAlone(folder: string): Promise<{ readonly wallMs: number; readonly cpuMs: number; readonly blockedMs: number }> {
  const [start, cpu] = [performance.now(), process.cpuUsage()];
  let [last, blockedMs] = [start, 0];
  const beat = setInterval(() => {
    blockedMs = Math.max(blockedMs, performance.now() - last - 1);
    last = performance.now();
  }, 1);
  try {
    await using read = openLedger(folder, { readOnly: true });
    const known = await read.campaign();
    if (known === undefined) throw new Error("The ledger has no campaign.");
    await summarize(known, read, "running");
    await delay(2);
  } finally {
    clearInterval(beat);
  }
  const { user, system } = process.cpuUsage(cpu);
  return { wallMs: performance.now() - start, cpuMs: (user + system) / 1000, blockedMs };
}

/** The middle one of five runs by wall time. */
async function middle<T extends { readonly wallMs: number }>(run: () => Promise<T>): Promise<T> {
  const runs: T[] = [];
  for (let n = 0; n < 5; n += 1) runs.push(await run());
  const found = runs.toSorted((a, b) => a.wallMs - b.wallMs)[2];
  if (found === undefined) throw new RangeError("Five runs have a middle one.");
  return found;
}
