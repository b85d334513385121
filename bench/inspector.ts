import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { cpus, loadavg } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { type CDPSession, chromium, type Page } from "playwright-core";
import { chromium as browserOf } from "../scripts/engines/chromium.ts";
import { cacheFolder } from "../scripts/engines/install.ts";
import { ensureInspector, INSPECTOR_DIST } from "../scripts/inspector.ts";

/**
 * The inspector's page while many streams run: frames a second, memory, and its share of a core; the size of what a browser fetches first, and the time to the first
 * paint. Writes `bench/inspector-results.md` unless `--dry`.
 * Run: `node --conditions=@infinite-agent-streams/source bench/inspector.ts [--seconds 300] [--streams 50] [--rate 50] [--view lanes|home] [--dry]`. What is measured of
 * Home goes to `bench/inspector-home-results.md`.
 */
const { values } = parseArgs({
  options: {
    seconds: { type: "string", default: "300" },
    streams: { type: "string", default: "50" },
    rate: { type: "string", default: "50" },
    view: { type: "string", default: "lanes" },
    dry: { type: "boolean", default: false },
  },
});
const [seconds, streams, rate] = [Number(values.seconds), Number(values.streams), Number(values.rate)];
const isHome = values.view === "home";
/** Samples begin when the page has settled, and are taken so often, s. */
const WARM_UP = Math.min(20, seconds / 4);
const EVERY = Math.max(5, Math.round(seconds / 10));

interface Sample {
  readonly second: number;
  readonly framesPerSecond: number;
  /** The longest time between two frames since the last sample, ms. */
  readonly longestMs: number;
  /** After a forced collection, MiB: objects, and array buffers. */
  readonly heap: number;
  readonly buffers: number;
  readonly nodes: number;
  /** The share of a core that the page's main thread took. */
  readonly core: number;
  readonly tokens: number;
}

await ensureInspector();
const places = browserOf.find(cacheFolder());
if (places === undefined) throw new Error(`This needs a browser: ${browserOf.byHand}.`);
const loadBefore = loadavg()[0] ?? 0;
const script = fileURLToPath(new URL("servers/inspector.ts", import.meta.url));
const server = spawn(process.execPath, ["--conditions=@infinite-agent-streams/source", script, String(streams), String(rate)], {
  stdio: ["pipe", "pipe", "inherit"],
});
const [url] = (await once(createInterface({ input: server.stdout }), "line")) as [string];
const browser = await chromium.launch({ executablePath: places.browser, args: ["--no-sandbox", "--disable-dev-shm-usage", "--enable-precise-memory-info"] });
try {
  const page = await browser.newPage({ viewport: { width: 1600, height: 1000 } });
  await page.goto(isHome ? url : `${url}/?view=lanes`);
  const paint = Math.round(Number(await page.evaluate("performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? NaN")));
  await page.getByText("Nothing runs").waitFor();
  await Promise.all(Array.from({ length: streams }, (_, index) => send(`agent-${String(index + 1).padStart(2, "0")}`)));
  if (isHome) {
    const last = page.locator(".row-link.live").nth(streams - 1);
    await last.waitFor({ state: "attached" });
    // The streams and not the agents: as many as the window holds.
    await page.evaluate("document.getElementById('live-now').scrollIntoView()");
  } else await page.getByRole("group", { name: new RegExp(`^Timeline of ${streams} lanes`) }).waitFor();
  const samples = await watch(page);
  const text = report(samples, paint);
  process.stdout.write(text);
  if (!values.dry) writeFileSync(fileURLToPath(new URL(isHome ? "inspector-home-results.md" : "inspector-results.md", import.meta.url)), text);
} finally {
  await browser.close();
  server.stdin.end();
  await once(server, "exit");
}

async function send(agent: string): Promise<void> {
  const body = JSON.stringify({ messageId: crypto.randomUUID(), parts: [{ text: "go" }] });
  const response = await fetch(`${url}/api/agents/${agent}/messages`, { method: "POST", headers: { "content-type": "application/json" }, body });
  if (!response.ok) throw new Error(`${agent} answered ${response.status}: ${await response.text()}`);
}

async function watch(page: Page): Promise<readonly Sample[]> {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  await page.evaluate(`(() => {
    const seen = (globalThis.benchFrames = { count: 0, longest: 0, last: performance.now() });
    const frame = (now) => {
      seen.count += 1;
      seen.longest = Math.max(seen.longest, now - seen.last);
      seen.last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  })()`);
  await page.waitForTimeout(WARM_UP * 1000);
  const samples: Sample[] = [];
  const began = performance.now();
  let before = await look(page, session);
  while (performance.now() - began < seconds * 1000) {
    await page.waitForTimeout(EVERY * 1000);
    // Before the collection, which is not the page's own work.
    const now = await look(page, session);
    await session.send("HeapProfiler.collectGarbage");
    const usage = (await session.send("Runtime.getHeapUsage")) as { readonly usedSize: number; readonly backingStorageSize?: number };
    const passed = (now.at - before.at) / 1000;
    samples.push({
      second: Math.round((performance.now() - began) / 1000),
      framesPerSecond: (now.frames - before.frames) / passed,
      longestMs: now.longest,
      heap: usage.usedSize / 2 ** 20,
      buffers: (usage.backingStorageSize ?? 0) / 2 ** 20,
      nodes: now.nodes,
      core: (now.busy - before.busy) / passed,
      tokens: now.tokens,
    });
    before = await look(page, session);
  }
  return samples;
}

/** How things stand in the page just now. */
async function look(page: Page, session: CDPSession) {
  const [at, frames, longest] = (await page.evaluate(
    "(() => { const seen = globalThis.benchFrames; const told = [performance.now(), seen.count, seen.longest]; seen.longest = 0; return told; })()",
  )) as [number, number, number];
  const { metrics } = await session.send("Performance.getMetrics");
  const metric = (name: string): number => metrics.find((one) => one.name === name)?.value ?? 0;
  // How far the first stream is, as the page shows it: the page keeps up.
  const first = await (isHome ? page.locator(".row-link.live .tail") : page.locator(".lanes-figures")).first().textContent();
  const tokens = isHome ? /token-(\d+)\s*$/.exec(first ?? "") : /^(\d+) tok/.exec(first ?? "");
  return { at, frames, longest, busy: metric("TaskDuration"), nodes: metric("Nodes"), tokens: Number(tokens?.[1] ?? 0) };
}

function report(samples: readonly Sample[], paint: number): string {
  const [first] = samples;
  const last = samples.at(-1);
  if (first === undefined || last === undefined) return "No samples.\n";
  const commit = execFileSync("git", ["rev-parse", "--short", "HEAD"], { encoding: "utf8" }).trim();
  const grown = last.heap + last.buffers - first.heap - first.buffers;
  const frames = samples.map(({ framesPerSecond }) => framesPerSecond).sort((a, b) => a - b);
  return [
    "# The inspector's page under load",
    "",
    `\`node --conditions=@infinite-agent-streams/source bench/inspector.ts --seconds ${seconds} --streams ${streams} --rate ${rate}${isHome ? " --view home" : ""}\` at ${commit}, ${new Date().toISOString().slice(0, 16)}Z.`,
    `${cpus().length} × ${cpus()[0]?.model ?? "unknown"}, without a graphics card: Chromium paints by CPU, and the server and its ${streams} agents run beside it. Load ${loadBefore.toFixed(2)} before, ${(loadavg()[0] ?? 0).toFixed(2)} after.`,
    "",
    `- ${streams} streams × ${rate} tokens/s ${isHome ? "on Home" : "in the live lanes"}, 1600 × 1000 px, all streams on one connection, for ${last.second} s.`,
    `- Frames a second: median ${(frames[frames.length >> 1] ?? 0).toFixed(1)}, lowest sample ${(frames[0] ?? 0).toFixed(1)}.`,
    `- Memory after a forced collection, objects and buffers: ${(first.heap + first.buffers).toFixed(1)} MiB at ${first.second} s, ${(last.heap + last.buffers).toFixed(1)} MiB at ${last.second} s (${grown >= 0 ? "+" : ""}${grown.toFixed(1)}).`,
    `- First contentful paint ${paint} ms; first load ${kilobytes(firstLoad())} kB gzipped (HTML, its scripts and styles), the whole inspector ${kilobytes(everything())} kB.`,
    "",
    `| s | frames/s | longest frame, ms | heap, MiB | buffers, MiB | DOM nodes | main thread, share of a core | tokens of the first ${isHome ? "row" : "lane"} |`,
    "|--:|--:|--:|--:|--:|--:|--:|--:|",
    ...samples.map(
      (one) =>
        `| ${one.second} | ${one.framesPerSecond.toFixed(1)} | ${one.longestMs.toFixed(0)} | ${one.heap.toFixed(1)} | ${one.buffers.toFixed(1)} | ${one.nodes} | ${one.core.toFixed(2)} | ${one.tokens} |`,
    ),
    "",
  ].join("\n");
}

/** Bytes, gzipped, of what the page names in its HTML. */
function firstLoad(): number {
  const html = readFileSync(join(INSPECTOR_DIST, "index.html"), "utf8");
  const named = [...html.matchAll(/(?:src|href)="(\/assets\/[^"]+\.(?:js|css))"/g)].map(
    ([, path = ""]) => gzipSync(readFileSync(join(INSPECTOR_DIST, path))).length,
  );
  return gzipSync(html).length + named.reduce((sum, size) => sum + size, 0);
}

function everything(): number {
  const folder = join(INSPECTOR_DIST, "assets");
  return readdirSync(folder).reduce((sum, name) => sum + gzipSync(readFileSync(join(folder, name))).length, 0);
}

function kilobytes(bytes: number): string {
  return (bytes / 1000).toFixed(1);
}
