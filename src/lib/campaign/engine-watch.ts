import type { GuardedFetch } from "../net/guarded-fetch.ts";
import type { Clock } from "../stream/clock.ts";
import { type EngineSample, parseEngineMetrics } from "./engine-metrics.ts";

/** One look at an engine's counters, with what we ourselves had of the engine by then. */
export interface Reading {
  /** Monotonic, ms. */
  readonly at: number;
  /** Undefined when the counters could not be read. */
  readonly sample: EngineSample | undefined;
  /** Tokens that all our battles on this engine had received, and how many of them had ended. */
  readonly heard: number;
  readonly ended: number;
  /** Our battles that used the engine at that time. */
  readonly users: number;
}

/** The counters of one engine, read from time to time while battles use it. */
export interface EngineWatch {
  /** Whether its counters can be read and are known. */
  probe(): Promise<boolean>;
  /** A battle uses it until this is disposed; `look` gets every reading. */
  use(look: (reading: Reading) => void): EngineUse;
  /** The newest reading at or before `at`, of the last few minutes; the oldest that is kept where all are newer. */
  before(at: number): Reading | undefined;
  readonly latest: Reading | undefined;
  /** The one before it. */
  readonly previous: Reading | undefined;
  readonly heard: number;
  /** Battles that use it now. */
  readonly users: number;
}

/** One battle's use of an engine. */
export interface EngineUse extends Disposable {
  /** Tokens of this battle came. */
  hear(tokens: number): void;
  /** Other battles that use it now and had tokens after `at`. */
  othersHeardSince(at: number): number;
}

/** What a watch reads with. */
export interface EngineWatchOptions {
  readonly url: string;
  /** Credentials, for example. */
  readonly headers: Readonly<Record<string, string>>;
  readonly fetch: GuardedFetch;
  readonly intervalMs: number;
  readonly clock: Clock;
  readonly monotonic: () => number;
}

/** Readings that are kept: five minutes at one a second. */
const KEPT = 300;
const READ_MS = 5000;
const MAX_BYTES = 8 * 1024 * 1024;

/** Watches one engine; nothing is read while nobody uses it. */
export function createEngineWatch({ url, headers, fetch, intervalMs, clock, monotonic }: EngineWatchOptions): EngineWatch {
  /** When each had tokens last. */
  const looks = new Map<(reading: Reading) => void, number>();
  let readings: Reading[] = [];
  let heard = 0;
  let ended = 0;
  let running: AbortController | undefined;

  async function read(): Promise<EngineSample | undefined> {
    try {
      const response = await fetch(url, {
        headers,
        limits: { maxBytes: MAX_BYTES, headersTimeoutMs: READ_MS, idleTimeoutMs: READ_MS, totalTimeoutMs: READ_MS },
      });
      const text = await response.text();
      return response.ok ? parseEngineMetrics(text) : undefined;
    } catch {
      return undefined;
    }
  }

  async function poll(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      // What came while the counters were on their way belongs to the next reading.
      const at = { heard, ended, users: looks.size };
      const sample = await read();
      if (signal.aborted) return;
      const reading = { at: monotonic(), sample, ...at };
      readings = [...readings.slice(1 - KEPT), reading];
      for (const look of looks.keys()) look(reading);
      await clock.sleep(intervalMs, signal);
    }
  }

  return {
    probe: async () => (await read()) !== undefined,
    use(look) {
      looks.set(look, Number.NEGATIVE_INFINITY);
      if (running === undefined) {
        running = new AbortController();
        void poll(running.signal);
      }
      return {
        hear(tokens) {
          if (tokens <= 0) return;
          heard += tokens;
          if (looks.has(look)) looks.set(look, monotonic());
        },
        othersHeardSince: (at) => [...looks].filter(([other, heardAt]) => other !== look && heardAt > at).length,
        [Symbol.dispose]() {
          if (!looks.delete(look)) return;
          ended += 1;
          if (looks.size > 0) return;
          running?.abort();
          running = undefined;
          readings = [];
        },
      };
    },
    before: (at) => readings.findLast((reading) => reading.at <= at && reading.sample !== undefined) ?? readings.find(({ sample }) => sample !== undefined),
    get latest() {
      return readings.at(-1);
    },
    get previous() {
      return readings.at(-2);
    },
    get heard() {
      return heard;
    },
    get users() {
      return looks.size;
    },
  };
}
