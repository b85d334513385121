import { setTimeout as delay } from "node:timers/promises";
import { EXTENSION_URI } from "../../src/lib/model/entry.ts";
import { createTally, type Load, type Measured, measure, type RunOptions, runStreams } from "./measure.ts";
import type { RunningServer } from "./server.ts";
import { openSocket } from "./socket.ts";
import { loadMessage, openStream, sendOverApi, type Stream, type Tally } from "./stream.ts";
import type { Sample } from "../servers/control.ts";
import type { Target } from "./targets.ts";

/** One line of load. */
export interface Row {
  readonly name: string;
  readonly title: string;
  /** What `Measured.cpu` and the rates count, and what `extra` holds. */
  readonly note?: string;
  readonly kinds: readonly Target["kind"][];
  readonly run: (server: RunningServer, target: Target) => Promise<Measured>;
}

/** A peer that has not come to the end by then (and the pace's time over) is measured on what it did. */
const PEER_MS = Number(process.env["BENCH_PEER_SECONDS"] ?? 6) * 1000;
const OURS_MS = 120_000;
const ALL = ["floor", "ours", "peer"] as const;

/** Every row, in the order of the tables. */
export const rows: readonly Row[] = [
  streams("1", "1 stream, unpaced", { width: 1, streams: 50, n: 2000, rate: 0 }),
  streams("50", "50 streams, unpaced", { width: 50, streams: 100, n: 1000, rate: 0 }),
  streams("200", "200 streams, unpaced", { width: 200, streams: 400, n: 500, rate: 0 }),
  streams("paced", "200 streams of 50/s for 10 s", { width: 200, streams: 200, n: 500, rate: 50 }),
  streams("n1000", "one stream of 1,000 at a time", { width: 1, streams: 100, n: 1000, rate: 0 }),
  streams("n5000", "one stream of 5,000 at a time", { width: 1, streams: 20, n: 5000, rate: 0 }),
  // The peers' cost of a chunk grows with the stream: longer ones than 5,000 they do not end in time.
  streams("n20000", "one stream of 20,000 at a time", { width: 1, streams: 5, n: 20_000, rate: 0 }, ["floor", "ours"]),
  {
    name: "n200000",
    title: "one stream of 200,000",
    note: "tenths: CPU of the last tenth over that of the first; heap, rss: growth of memory between them, MiB, each after a full collection",
    kinds: ["floor", "ours"],
    run: longStream,
  },
  { name: "readers", title: "one stream of 50/s with 500 readers", note: "an event is a chunk that one reader got", kinds: ALL, run: manyReaders },
  {
    name: "api",
    title: "200 streams of 50/s for 10 s, read at /api",
    note: "a2a, ws: CPU of an event over that of A2A's own stream, and over that of the same streams on one WebSocket at /api/ws, each measured on the same server",
    kinds: ["ours"],
    run: readAtApi,
  },
  {
    name: "idle",
    title: "10,000 idle subscribers",
    note: "an event is a subscriber's joining; bytes: resident memory a subscriber, heap: of it JavaScript's, both after a full collection",
    kinds: ["floor", "ours"],
    run: idleSubscribers,
  },
  {
    name: "catch-up",
    title: "catch-up on a stream of 200,000",
    note: "one reader from cursor 1 to the end; the rate is entries a second",
    kinds: ["ours"],
    run: catchUp,
  },
  {
    name: "compression",
    title: "catch-up on a stream of 200,000 at /api/ws, compressed",
    note: "cpu, bytes: CPU of an entry, and bytes on the wire, over those without compression; plain: bytes of an entry without it",
    kinds: ["ours"],
    run: catchUpCompressed,
  },
];

function streams(name: string, title: string, load: Omit<Load, "maxMs">, kinds: Row["kinds"] = ALL): Row {
  return {
    name,
    title,
    kinds,
    async run(server, target) {
      const tally = createTally();
      await warmUp(server, tally, target, load);
      return measure(server, tally, () => runStreams(server, tally, { ...load, maxMs: limit(target, load) }));
    },
  };
}

function limit(target: Target, load: Pick<Load, "n" | "rate">): number {
  return target.kind === "peer" ? PEER_MS + (load.rate > 0 ? (load.n / load.rate) * 1000 : 0) : OURS_MS;
}

/**
 * 40,000 chunks of the row's own kind, so that what is measured is compiled. Peers get fewer and shorter streams, and to their end: a stream whose reader
 * has gone runs on in the background.
 */
async function warmUp(server: RunningServer, tally: Tally, target: Target, load: Pick<Load, "width" | "n">): Promise<void> {
  const peer = target.kind === "peer";
  const n = Math.min(load.n, peer ? 200 : 2000);
  const width = peer ? Math.min(load.width, 20) : load.width;
  const streams = peer ? 20 : Math.max(width, Math.ceil(40_000 / n));
  if (!(await runStreams(server, tally, { width, streams, n, rate: 0, maxMs: OURS_MS }))) throw new Error("The warm-up did not end.");
}

async function readAtApi(server: RunningServer, target: Target): Promise<Measured> {
  const load = { width: 200, streams: 200, n: 500, rate: 50, maxMs: OURS_MS };
  const warm = { width: 20, streams: 20, n: 2000, rate: 0, maxMs: OURS_MS };
  const tally = createTally();
  await warmUp(server, tally, target, load);
  const viaApi: RunOptions = {
    open: async ({ n, rate }) => openStream({ port: server.port, path: `/api/tasks/${await sendOverApi(server.port, { n, rate })}/events?agent=bench`, tally }),
  };
  const socket = await openSocket(server.port, tally);
  const viaSocket: RunOptions = { open: async ({ n, rate }) => socket.subscribe(await sendOverApi(server.port, { n, rate })) };
  for (const via of [viaApi, viaSocket]) await runStreams(server, tally, warm, via);
  const a2a = await measure(server, tally, () => runStreams(server, tally, load));
  const ws = await measure(server, tally, () => runStreams(server, tally, load, viaSocket));
  const api = await measure(server, tally, () => runStreams(server, tally, load, viaApi));
  socket.close();
  return { ...api, extra: { a2a: api.cpu / a2a.cpu, ws: api.cpu / ws.cpu } };
}

async function longStream(server: RunningServer, target: Target): Promise<Measured> {
  const n = 200_000;
  const tally = createTally();
  await warmUp(server, tally, target, { width: 1, n });
  // The collections stand between the tenths, so that no tenth pays for them.
  const samples = [server.sample()];
  tally.onMark = ({ chunks }) => {
    if (chunks === n / 10) samples.push(server.sample(), server.sample("gc"));
    else if (chunks === n) samples.push(server.sample());
    else samples.push(server.sample("gc"), server.sample());
  };
  const load = { width: 1, streams: 1, n, rate: 0, maxMs: OURS_MS };
  const measured = await measure(server, tally, () => runStreams(server, tally, load, { marks: [n / 10, (n / 10) * 9, n] }));
  const [start, first, early, late, ninth, end] = await Promise.all(samples);
  if (start === undefined || first === undefined || early === undefined || late === undefined || ninth === undefined || end === undefined) return measured;
  const extra = { tenths: (end.cpu - ninth.cpu) / (first.cpu - start.cpu), heap: (late.heap - early.heap) / 2 ** 20, rss: (late.rss - early.rss) / 2 ** 20 };
  return { ...measured, extra };
}

async function manyReaders(server: RunningServer, target: Target): Promise<Measured> {
  const tally = createTally();
  await warmUp(server, tally, target, { width: 1, n: 1000 });
  const { stream, task } = await openTask(server, tally, 100_000, 50);
  const readers = await subscribeMany(server, tally, task, 499);
  await delay(500);
  try {
    return await measure(server, tally, async () => {
      await delay(5000);
      return true;
    });
  } finally {
    for (const reader of [stream, ...readers]) reader.close();
  }
}

async function idleSubscribers(server: RunningServer, target: Target): Promise<Measured> {
  const count = 10_000;
  const tally = createTally();
  await warmUp(server, tally, target, { width: 1, n: 1000 });
  const { stream, task } = await openTask(server, tally, 1, 0.0001);
  for (const early of await subscribeMany(server, tally, task, 500)) early.close();
  await delay(300);
  const before = await settled(server);
  let readers: readonly Stream[] = [];
  const measured = await measure(server, tally, async () => {
    readers = await subscribeMany(server, tally, task, count);
    return true;
  });
  await delay(300);
  const after = await settled(server);
  for (const reader of [stream, ...readers]) reader.close();
  const extra = { bytes: (after.rss - before.rss) / count, heap: (after.heap - before.heap) / count };
  return { ...measured, events: count, cpu: (measured.cpu * Math.max(1, measured.events)) / count, extra };
}

/** After three full collections: what the first frees may hold other things, and finalizers run after it. */
async function settled(server: RunningServer): Promise<Sample> {
  await server.sample("gc");
  await server.sample("gc");
  return server.sample("gc");
}

async function catchUp(server: RunningServer): Promise<Measured> {
  const n = 200_000;
  const tally = createTally();
  const { stream, task, log } = await openTask(server, tally, n, 0);
  await stream.ended;
  const once = async (): Promise<boolean> => {
    const before = tally.chunks;
    const headers = { "a2a-extensions": EXTENSION_URI, "last-event-id": `${log}.1` };
    await openStream({ port: server.port, method: "SubscribeToTask", params: { id: task }, headers, tally }).ended;
    if (tally.chunks - before !== n) throw new Error(`The reader got ${tally.chunks - before} of ${n} chunks.`);
    return true;
  };
  await once();
  const measured = await measure(server, tally, async () => (await once()) && (await once()) && once());
  // The stamps are those of the first writing.
  return { ...measured, p50: Number.NaN, p99: Number.NaN, extra: { rate: measured.events / measured.seconds } };
}

async function catchUpCompressed(server: RunningServer): Promise<Measured> {
  const n = 200_000;
  const tally = createTally();
  const { stream, task } = await openTask(server, tally, n, 0);
  await stream.ended;
  const read = async (compressed: boolean): Promise<Measured & { readonly bytes: number }> => {
    const socket = await openSocket(server.port, tally, { compressed });
    const once = async (): Promise<boolean> => {
      const before = tally.chunks;
      await socket.subscribe(task).ended;
      if (tally.chunks - before !== n) throw new Error(`The reader got ${tally.chunks - before} of ${n} chunks.`);
      return true;
    };
    await once();
    const from = socket.bytesRead;
    const measured = await measure(server, tally, async () => (await once()) && (await once()) && once());
    const bytes = (socket.bytesRead - from) / measured.events;
    socket.close();
    return { ...measured, bytes };
  };
  const plain = await read(false);
  const { bytes, ...packed } = await read(true);
  // The stamps are those of the first writing.
  return { ...packed, p50: Number.NaN, p99: Number.NaN, extra: { cpu: packed.cpu / plain.cpu, bytes: bytes / plain.bytes, plain: plain.bytes } };
}

/** Sends a plan and waits for the task. */
async function openTask(server: RunningServer, tally: Tally, n: number, rate: number): Promise<{ stream: Stream; task: string; log: string }> {
  const stream = openStream({ port: server.port, method: "SendStreamingMessage", params: loadMessage(n, rate), tally });
  const head = await stream.opened;
  const task = /"task":\s*\{\s*"id":\s*"([^"]+)"/.exec(head)?.[1];
  if (task === undefined) throw new Error(`The stream does not begin with its task: ${head.slice(0, 1000)}`);
  return { stream, task, log: /\nid: ([a-z0-9]+)\./.exec(head)?.[1] ?? "" };
}

async function subscribeMany(server: RunningServer, tally: Tally, task: string, count: number): Promise<readonly Stream[]> {
  const all: Stream[] = [];
  const lane = async (): Promise<void> => {
    while (all.length < count) {
      const stream = openStream({ port: server.port, method: "SubscribeToTask", params: { id: task }, tally });
      all.push(stream);
      await stream.opened;
    }
  };
  await Promise.all(Array.from({ length: 50 }, lane));
  return all;
}
