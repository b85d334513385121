import type { Json, JsonObject } from "../model/a2a.ts";
import type { Thresholds } from "../liveness/thresholds.ts";

/**
 * A campaign as it is resolved from its file: every default filled in, so that its hash names it. `docs/reference/campaign.md` gives the file's form.
 * A *battle* is one subject, one item, one repeat; an *attempt* is one try of a battle. All attempts are kept, and one successful attempt counts a battle once.
 */
export interface Campaign {
  readonly name: string;
  /** At least one; ids are unique. */
  readonly items: readonly Item[];
  /** At least one; ids are unique. */
  readonly subjects: readonly Subject[];
  readonly green: Green;
  /** Battles that must succeed (the subject ended and the verdict was reached, whatever it says), over all subjects. Absent: every item, `repeat` times, for each subject. Items are taken again, as further repeats, when they do not suffice. */
  readonly target?: number;
  /** Repeats of each item; 1. */
  readonly repeat: number;
  /** Battles at once, in all; 4. */
  readonly concurrency: number;
  readonly retries: Retries;
  readonly liveness: LivenessMode;
  readonly thresholds: Thresholds;
  /** Of `liveness: timeout`, and of subjects that nothing else can be judged by. */
  readonly timeout: AdaptiveTimeout;
  /** How often `/metrics` is read, ms; 1,000. */
  readonly metricsIntervalMs: number;
  /** Share of battles that must pass for exit code 0, what is given up by the fault of the subject counting as not passed; absent: any. */
  readonly passThreshold?: number;
  /** Seeds the order of items (absent: the file's order) and goes to subjects as metadata. */
  readonly seed?: number;
  /** Largest answer that is kept and judged, characters; 1,000,000. */
  readonly maxAnswerLength: number;
}

/** One thing to ask. */
export interface Item {
  readonly id: string;
  readonly prompt: string;
  /** What scorers compare with. */
  readonly expected?: Json;
  /** Over the campaign's green. */
  readonly green?: Green;
  /** For judges and functions, and in the results. */
  readonly metadata?: JsonObject;
}

/** A purple agent. */
export interface Subject {
  readonly id: string;
  /** Its card's or agent's URL. */
  readonly url: string;
  /** Battles with it at once; the campaign's `concurrency`. */
  readonly concurrency: number;
  /** The `/metrics` of the model server behind it, and names of environment variables whose values are sent there as headers. */
  readonly metricsUrl?: string;
  readonly metricsHeadersFromEnv?: Readonly<Record<string, string>>;
  /** Names of environment variables whose values are sent as headers: secrets are references (SEMANTICS 26). */
  readonly headersFromEnv: Readonly<Record<string, string>>;
  readonly liveness?: LivenessMode;
}

/** Who judges an answer. */
export type Green =
  | { readonly kind: "exact"; readonly ignoreCase: boolean; readonly trim: boolean }
  | { readonly kind: "contains"; readonly ignoreCase: boolean }
  /** RE2-like safety is not given: patterns are the campaign author's own. */
  | { readonly kind: "regex"; readonly pattern: string; readonly flags: string }
  | { readonly kind: "json-schema"; readonly schema: JsonObject }
  /** A model of an OpenAI-compatible server says pass or fail; `apiKeyEnv` names the variable with its key. */
  | { readonly kind: "judge"; readonly model: string; readonly baseUrl: string; readonly apiKeyEnv?: string; readonly rubric: string }
  /** A green agent over A2A gets the assessment of each battle (AgentBeats' form) and does the battle itself. */
  | { readonly kind: "a2a"; readonly url: string; readonly config: JsonObject; readonly role: string; readonly others: Readonly<Record<string, string>> }
  /** `export default` or the named export of a TypeScript module: `Scorer`. `code` is the SHA-256 of its code and of what it imports, as it was loaded. */
  | { readonly kind: "function"; readonly module: string; readonly name: string; readonly code?: string };

/** A scorer of a TypeScript module: pure or not, it may be called again for the same attempt. */
export type Scorer = (battle: ScoredBattle) => Verdict | Promise<Verdict>;

/** What a scorer gets to see. */
export interface ScoredBattle {
  readonly item: Item;
  readonly subject: string;
  readonly repeat: number;
  /** The text of the subject's artifacts, or of its message; in order. */
  readonly answer: string;
  /** Data parts of the answer, in order. */
  readonly data: readonly Json[];
  readonly signal: AbortSignal;
}

/** What a green says. */
export interface Verdict {
  readonly pass: boolean;
  /** 0 to 1. */
  readonly score: number;
  /** A sentence for people. */
  readonly reason?: string;
  readonly detail?: JsonObject;
}

/** What stalls are judged by; `auto` takes the best that the subject offers and says which and why. */
export type LivenessMode = "auto" | "stream" | "metrics" | "timeout";

/** How often a battle may be tried again, by the class of its last failure, and how long between. A deterministic failure is never retried. */
export interface Retries {
  /** Attempts of one battle in all; 5. */
  readonly maxAttempts: number;
  /** Retries of each class; what is absent takes the default. */
  readonly byClass: Readonly<Record<RetryClass, number>>;
  readonly baseMs: number;
  readonly maxMs: number;
  /** The longest pause that a subject's or judge's Retry-After is given, ms; 3,600,000. Longer ones are cut to it, with a warning. */
  readonly maxRetryAfterMs: number;
}

/** The classes of failures. */
export type RetryClass = "transport" | "stall" | "rate-limit" | "server-error" | "agent-failed" | "judge-failed";

/** An adaptive time-out of one item: `max(minMs, factor × p95 of its past durations)`, the first `initialMs`, times `backoff` per retry, at most `maxMs`. */
export interface AdaptiveTimeout {
  readonly initialMs: number;
  readonly minMs: number;
  readonly maxMs: number;
  readonly factor: number;
  readonly backoff: number;
}
