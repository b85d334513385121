import { monitorEventLoopDelay } from "node:perf_hooks";
import type { Sample } from "./control.ts";

/**
 * Loaded before a program (`--import`), it lets the bench ask the program for its CPU, memory and event loop lag over the channel of its process, and changes
 * nothing else: the program ends as it would.
 */
export interface Observed extends Sample {
  /** How late the event loop was since the last question, ms; looked at every 10 ms. */
  readonly lag: { readonly p50: number; readonly p99: number; readonly max: number };
}

const EVERY_MS = 10;

if (process.send !== undefined) {
  const delay = monitorEventLoopDelay({ resolution: EVERY_MS });
  delay.enable();
  const late = (nanos: number): number => Math.max(0, nanos / 1e6 - EVERY_MS);
  process.on("message", (ask: unknown) => {
    const lag = { p50: late(delay.percentile(50)), p99: late(delay.percentile(99)), max: late(delay.max) };
    if (ask === "gc") globalThis.gc?.();
    delay.reset();
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed, external } = process.memoryUsage();
    process.send?.({ cpu: user + system, rss, peak: process.resourceUsage().maxRSS * 1024, heap: heapUsed + external, lag } satisfies Observed);
  });
  process.channel?.unref();
}
