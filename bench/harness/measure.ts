import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { createLatencies } from "./latency.ts";
import type { RunningServer } from "./server.ts";
import { loadMessage, openStream, type Stream, type StreamRequest, type Tally } from "./stream.ts";

/** What one run of one row on one target came to. */
export interface Measured {
  /** Chunks that readers got. */
  readonly events: number;
  readonly seconds: number;
  /** CPU of the server for each of them, µs. */
  readonly cpu: number;
  /** ms from a chunk's stamp to the reader. */
  readonly p50: number;
  readonly p99: number;
  /** The most resident memory of the server so far, bytes. */
  readonly peak: number;
  /** The load generator's share of a core. Above `MAX_GENERATOR` the run is invalid. */
  readonly generator: number;
  /** The share of the machine that others used. */
  readonly others: number;
  /** The load was cut off by the time limit: a server too slow for the row. */
  readonly stopped: boolean;
  /** What only this row has, by name. */
  readonly extra: Readonly<Record<string, number>>;
}

/** A row in which the generator used more of a core says nothing of the server. */
export const MAX_GENERATOR = 0.8;

export function createTally(): Tally {
  return { chunks: 0, latencies: createLatencies() };
}

/** Runs `load` and measures the server meanwhile. `load` resolves to false when it was cut off. */
export async function measure(server: RunningServer, tally: Tally, load: () => Promise<boolean>): Promise<Measured> {
  tally.latencies.clear();
  const chunks = tally.chunks;
  const before = await server.sample();
  const own = process.cpuUsage();
  const machine = machineCpu();
  const start = performance.now();
  const whole = await load();
  const seconds = (performance.now() - start) / 1000;
  const after = await server.sample();
  const used = process.cpuUsage(own);
  const generator = (used.user + used.system) / 1e6;
  const busy = (machineCpu() - machine - generator - (after.cpu - before.cpu) / 1e6) / seconds;
  const events = tally.chunks - chunks;
  return {
    events,
    seconds,
    cpu: (after.cpu - before.cpu) / Math.max(1, events),
    p50: tally.latencies.quantile(0.5) ?? Number.NaN,
    p99: tally.latencies.quantile(0.99) ?? Number.NaN,
    peak: after.peak,
    generator: generator / seconds,
    others: Math.max(0, busy / availableParallelism()),
    stopped: !whole,
    extra: {},
  };
}

export interface Load {
  /** Streams at once. */
  readonly width: number;
  /** Streams in all, one after the other in each lane. */
  readonly streams: number;
  /** Chunks a stream. */
  readonly n: number;
  readonly rate: number;
  /** The load is cut off after this. */
  readonly maxMs: number;
}

/** How streams are opened: as A2A's own by default. */
export interface RunOptions extends Pick<StreamRequest, "marks"> {
  readonly open?: (plan: Pick<Load, "n" | "rate">) => Stream | Promise<Stream>;
}

/** Runs streams; true when all came to their end with every chunk, false when the time was up. Throws for a stream that broke. */
export async function runStreams(server: RunningServer, tally: Tally, load: Load, more: RunOptions = {}): Promise<boolean> {
  const { open: openOne = ({ n, rate }) => openStream({ port: server.port, method: "SendStreamingMessage", params: loadMessage(n, rate), tally, ...more }) } =
    more;
  const open = new Set<Stream>();
  let left = load.streams;
  let late = false;
  const timer = setTimeout(() => {
    late = true;
    for (const stream of open) stream.close();
  }, load.maxMs);
  const lane = async (): Promise<void> => {
    while (left > 0 && !late) {
      left -= 1;
      const stream = await openOne(load);
      open.add(stream);
      try {
        await stream.opened;
        await stream.ended;
      } catch (error) {
        if (!late) throw error;
      }
      open.delete(stream);
      if (!late && (stream.chunks !== load.n || !stream.completed)) {
        throw new Error(`A stream ended with ${stream.chunks} of ${load.n} chunks, ${stream.completed ? "" : "not "}completed.`);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: load.width }, lane));
  } finally {
    clearTimeout(timer);
    for (const stream of open) stream.close();
  }
  return !late;
}

/** CPU that all processes of the machine have used, s. */
export function machineCpu(): number {
  const fields = /^cpu +(.*)$/m.exec(readFileSync("/proc/stat", "utf8"))?.[1]?.split(" ").map(Number) ?? [];
  const [user = 0, nice = 0, system = 0, , , irq = 0, softirq = 0] = fields;
  return (user + nice + system + irq + softirq) / 100;
}
