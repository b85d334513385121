import type { Phase } from "../liveness/liveness.ts";
import type { Attempt, JudgedBy } from "./attempt.ts";

/** What a runner tells while it runs; for views, nothing depends on it. */
export type Progress =
  | { readonly kind: "started"; readonly campaign: string; readonly resumed: boolean; readonly done: number; readonly target: number }
  /** What a subject's battles are judged by, and why; told before its first battle, and when it changes. */
  | { readonly kind: "liveness"; readonly subject: string; readonly mode: JudgedBy; readonly why: string }
  | { readonly kind: "attempt-started"; readonly attempt: Attempt; readonly resumed: boolean }
  | { readonly kind: "phase"; readonly battle: string; readonly attempt: number; readonly phase: Phase; readonly at: number }
  /** Content of one battle: at most one a battle and 100 ms, unless `verbose`. */
  | { readonly kind: "tokens"; readonly battle: string; readonly tokens: number; readonly tokensPerSecond: number | undefined; readonly text?: string }
  | { readonly kind: "attempt-ended"; readonly attempt: Attempt }
  | { readonly kind: "retry"; readonly battle: string; readonly inMs: number; readonly why: string }
  /** A person wants a battle again; whether it had counted until now. */
  | { readonly kind: "requeued"; readonly battle: string; readonly wasJudged: boolean }
  | { readonly kind: "concurrency"; readonly subject: string; readonly allowed: number; readonly why: string }
  | { readonly kind: "warning"; readonly code: string; readonly message: string }
  | { readonly kind: "ended"; readonly summary: Summary };

/** `summary.json`, and what `status` says. */
export interface Summary {
  readonly campaign: string;
  readonly hash: string;
  readonly state: "running" | "paused" | "done" | "canceled" | "exhausted";
  readonly target: number;
  /** Battles whose verdict was reached, and those that passed. */
  readonly judged: number;
  readonly passed: number;
  readonly meanScore: number | undefined;
  /** Battles that are given up, by class of the last failure. */
  readonly failed: Readonly<Record<string, number>>;
  /** Battles that wait for their next attempt, by class of the last failure. */
  readonly waiting: Readonly<Record<string, number>>;
  /** Of those that are given up, what is the subject's fault (`agent-failed`, `deterministic`, `stall`): it counts as not passed. */
  readonly faults: number;
  readonly attempts: number;
  readonly retries: Readonly<Record<string, number>>;
  readonly stalls: Readonly<Record<string, number>>;
  readonly tokens: number;
  readonly ttftMs: Quantiles | undefined;
  readonly gapMs: Quantiles | undefined;
  readonly startedAt: number;
  readonly endedAt?: number;
  /** Per subject, the same counts. */
  readonly subjects: Readonly<
    Record<
      string,
      {
        readonly judged: number;
        readonly passed: number;
        readonly failed: number;
        readonly faults: number;
        readonly attempts: number;
        readonly meanScore: number | undefined;
        /** What its attempts were judged by, and why; the most frequent first. */
        readonly liveness: readonly LivenessCount[];
      }
    >
  >;
}

/** How many attempts were judged by one thing. */
export interface LivenessCount {
  readonly mode: JudgedBy;
  readonly why: string;
  readonly attempts: number;
}

/** A distribution in three numbers. */
export interface Quantiles {
  readonly p50: number;
  readonly p95: number;
  readonly max: number;
}
