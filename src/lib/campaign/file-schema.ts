import { z } from "zod";
import type { Thresholds } from "../liveness/thresholds.ts";
import type { Json, JsonObject } from "../model/a2a.ts";
import { cutText } from "../model/cut-text.ts";

/**
 * The form of a campaign's file, before defaults: `read-campaign.ts` makes a `Campaign` of it. Names are those of `Campaign`.
 * `docs/reference/campaign.schema.json` is made from it (`scripts/campaign-schema.ts`).
 */
export type CampaignFile = z.infer<typeof campaignFileSchema>;

const NAME = 'a text of 1 to 100 letters, digits, spaces, ".", "_", "-", the first a letter or digit';
const SIMPLE_GREENS = ["exact", "contains"] as const;
/** `DURATION` as people write it. */
const DURATION = /^(\d+(?:\.\d+)?) ?(ms|s|m|h)$/;
const UNITS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };
const ENV_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
// eslint-disable-next-line no-control-regex -- ids stand in file names, terminals and tables
const PLAIN = /^[^\u0000-\u001f\u007f-\u009f]+$/;

/** A duration of the file in ms; "none" is Infinity. */
export function toMs(value: number | string): number {
  if (typeof value === "number") return value;
  const [, amount, unit] = DURATION.exec(value) ?? [];
  return amount === undefined || unit === undefined ? Number.POSITIVE_INFINITY : Number(amount) * (UNITS[unit] ?? 1);
}

/** A value as messages show it: one line, not long. */
export function show(value: unknown): string {
  return cutText(JSON.stringify(value) ?? String(value), 60);
}

/** The error of a schema whose values are described by `what`. */
function right(what: string): { readonly error: (issue: { readonly input?: unknown }) => string } {
  return { error: ({ input }) => (input === undefined ? `is missing; it must be ${what}` : `is ${show(input)}; it must be ${what}`) };
}

/** An object with these members and no others; the nearest right name is told for a wrong one, a line for each (`explain` takes them apart). */
function form<Shape extends z.core.$ZodLooseShape>(shape: Shape): z.ZodObject<Shape, z.core.$strict> {
  const known = Object.keys(shape);
  return z.strictObject(shape, {
    error: (issue) => {
      if (issue.code !== "unrecognized_keys")
        return `${issue.input === undefined ? "is missing" : `is ${show(issue.input)}`}; it must be an object with ${known.join(", ")}`;
      return issue.keys.map((key) => `has an unknown member ${show(key)}${nearest(key, known)}; there are ${known.join(", ")}`).join("\n");
    },
  });
}

function nearest(key: string, known: readonly string[]): string {
  const best = known.map((name) => ({ name, distance: distance(key.toLowerCase(), name.toLowerCase()) })).sort((a, b) => a.distance - b.distance)[0];
  const close = best !== undefined && (best.distance <= Math.max(2, best.name.length * 0.4) || best.name.toLowerCase().startsWith(key.toLowerCase()));
  return close ? ` (did you mean ${show(best.name)}?)` : "";
}

/** Levenshtein's, by rows; long texts are cut, they are near nothing. */
function distance(a: string, b: string): number {
  const [from, to] = [a.slice(0, 40), b.slice(0, 40)];
  let row = Array.from({ length: to.length + 1 }, (_, n) => n);
  for (let i = 1; i <= from.length; i += 1) {
    const next = [i];
    for (let j = 1; j <= to.length; j += 1) {
      const swap = (row[j - 1] ?? 0) + (from[i - 1] === to[j - 1] ? 0 : 1);
      next.push(Math.min((row[j] ?? 0) + 1, (next[j - 1] ?? 0) + 1, swap));
    }
    row = next;
  }
  return row[to.length] ?? 0;
}

const text = (what = "a text that is not empty") => z.string(right(what)).min(1, right(what));
const whole = (least: number) => z.int(right(`a whole number, ${least} or more`)).min(least, right(`a whole number, ${least} or more`));
const share = () => z.number(right("a share from 0 to 1")).min(0, right("a share from 0 to 1")).max(1, right("a share from 0 to 1"));
const above = (least: number) => z.number(right(`a number, ${least} or more`)).min(least, right(`a number, ${least} or more`));
const yesNo = () => z.boolean(right("true or false"));
/** The file's text is kept in the results and shown in reports: secrets are references (SEMANTICS 26). */
const httpUrl = () => {
  const error = "has a user or password; it must be a URL without them: secrets go into headersFromEnv or apiKeyEnv";
  return z.url({ protocol: /^https?$/, abort: true, ...right("an http or https URL") }).regex(/^[^:]+:\/\/[^/?#@]*(?:[/?#]|$)/, { error });
};
const envName = () => z.string(right("the name of an environment variable")).regex(ENV_NAME, right("the name of an environment variable, not its value"));
const id = () => {
  const what = "a text of 1 to 200 characters, none of them a control character";
  return z.union([z.string().min(1, right(what)).max(200, right(what)).regex(PLAIN, right(what)), z.number()], right(what));
};
const span = () => {
  const what = 'a duration: a number of ms above 0, or a text such as "500ms", "30s", "5m", "2h"';
  return z.union([z.number().positive(right(what)), z.string().regex(DURATION, right(what))], right(what));
};
const openSpan = () => {
  const what = 'a duration (a number of ms above 0, or a text such as "500ms", "30s", "5m", "2h"), or "none"';
  return z.union([z.number().positive(right(what)), z.string().regex(DURATION, right(what)), z.literal("none", right(what))], right(what));
};
const json = (): z.ZodType<Json> => z.json(right("a JSON value"));
const jsonObject = (): z.ZodType<JsonObject> => z.record(z.string(), z.json(), right("an object"));

const liveness = () => z.enum(["auto", "stream", "metrics", "timeout"], right("auto, stream, metrics or timeout"));

const greenForms = z.discriminatedUnion(
  "kind",
  [
    form({
      kind: z.literal("exact"),
      ignoreCase: yesNo().optional().describe("false"),
      trim: yesNo().optional().describe("White space at both ends does not count; true"),
    }),
    form({ kind: z.literal("contains"), ignoreCase: yesNo().optional().describe("false") }),
    form({
      kind: z.literal("regex"),
      pattern: text().describe("A JavaScript regular expression; found anywhere in the answer unless anchored"),
      flags: z
        .string(right("flags such as i, s, m, u"))
        .regex(/^[imsuv]*$/, right("flags of i, m, s, u, v"))
        .optional()
        .describe("u"),
    }),
    form({ kind: z.literal("json-schema"), schema: jsonObject().describe("JSON Schema 2020-12; the answer must be one JSON value that fits") }),
    form({
      kind: z.literal("judge"),
      model: text(),
      baseUrl: httpUrl().describe("Of an OpenAI-compatible server, such as http://127.0.0.1:8000/v1"),
      apiKeyEnv: envName().optional().describe("Name of the environment variable with the key"),
      rubric: text().optional().describe("When the judge is to say pass"),
    }),
    form({
      kind: z.literal("a2a"),
      url: httpUrl().describe("A green agent; it does the battle itself"),
      role: text().optional().describe("The role that the subject plays; agent"),
      others: z.record(z.string(), httpUrl(), right("URLs by role")).optional().describe("URLs of the other participants, by role"),
      config: jsonObject().optional().describe("The assessment's config"),
    }),
    form({
      kind: z.literal("function"),
      module: text("the path of a module, relative to the campaign's file").describe("Path of a module, relative to the campaign's file"),
      name: text().optional().describe("Which export; default"),
    }),
  ],
  {
    error: ({ input }) => {
      const kind = typeof input === "object" && input !== null && "kind" in input ? `is ${show(input.kind)}` : "is missing";
      return `${kind}; it must be exact, contains, regex, json-schema, judge, a2a or function`;
    },
  },
);

const green = z.union([z.enum(SIMPLE_GREENS), greenForms], right("a scorer: exact, contains, or an object with a kind")).meta({ id: "green" });

const itemForm = form({
  id: id().optional().describe("Unique; its place in the list, from 1"),
  prompt: z.string(right("a text")).describe("What the subject is asked"),
  expected: json().optional().describe("What scorers compare with"),
  green: green.optional().describe("In place of the campaign's"),
  metadata: jsonObject().optional().describe("For judges and functions, and in the results"),
});

/** One line of a JSONL file of items, or one entry of `items`. */
export const itemSchema = z.union([text(), itemForm], right("a prompt, or an object with a prompt"));

const headers = () => z.record(z.string().regex(HEADER_NAME), envName(), right("names of environment variables by header"));

const subjectSchema = z.union(
  [
    httpUrl(),
    form({
      id: id().optional().describe("Unique; subject-1 and so on"),
      url: httpUrl().describe("The agent's or its card's"),
      concurrency: whole(1).optional().describe("Battles with it at once; the campaign's concurrency"),
      metricsUrl: httpUrl().optional().describe("The /metrics of the model server behind it"),
      metricsHeadersFromEnv: headers().optional().describe("Names of environment variables whose values are sent to metricsUrl as headers"),
      headersFromEnv: headers().optional().describe("Names of environment variables whose values are sent as headers"),
      liveness: liveness().optional(),
    }),
  ],
  right("an http or https URL, or an object with a url"),
);

const retryClasses = ["transport", "stall", "rate-limit", "server-error", "agent-failed", "judge-failed"] as const;

/** The whole file. */
export const campaignFileSchema = form({
  name: z
    .string(right(NAME))
    .regex(/^[\p{L}\p{N}][\p{L}\p{N} ._-]{0,99}$/u, right(NAME))
    .describe("Names the results folder too"),
  items: z
    .union(
      [text(), z.array(itemSchema).min(1, right("a list of at least one item"))],
      right("a list of items, or the path of a JSONL file with one item a line"),
    )
    .describe("What to ask: prompts, or objects; or the path of a JSONL file of such objects, relative to this file"),
  subjects: z
    .array(subjectSchema, right("a list of URLs or of objects with a url"))
    .min(1, right("a list of at least one subject"))
    .describe("The agents that are evaluated"),
  green: green.optional().describe("Who judges; contains"),
  target: whole(1).optional().describe("Battles that must succeed over all subjects; absent: each item, repeat times, with each subject"),
  repeat: whole(1).optional().describe("1"),
  concurrency: whole(1).optional().describe("Battles at once; 4"),
  retries: form({
    maxAttempts: whole(1).optional().describe("Attempts of one battle in all; 5"),
    byClass: form(Object.fromEntries(retryClasses.map((name) => [name, whole(0).optional()])) as Record<(typeof retryClasses)[number], z.ZodOptional<z.ZodInt>>)
      .optional()
      .describe("Retries of each class of failure"),
    baseMs: span().optional().describe("The first wait; 1s"),
    maxMs: span().optional().describe("The longest wait; 60s"),
    maxRetryAfterMs: span().optional().describe("The longest pause that a Retry-After is given; 1h"),
  }).optional(),
  liveness: liveness().optional().describe("auto"),
  thresholds: form({
    connectMs: openSpan().optional().describe("Until the agent has taken the request; 10s"),
    firstByteMs: openSpan().optional().describe("From there to the first byte; 5m"),
    firstContentMs: openSpan().optional().describe("From the request to the first content; 5m"),
    gapMs: openSpan().optional().describe("Between two contents; 30s"),
    adaptiveFactor: above(0).optional().describe("The gap allowed is at least this times the p99 of the stream's gaps; 0 keeps it fixed"),
    toolMs: openSpan().optional().describe("Without progress of a tool or a child agent; 10m"),
    connectionMs: openSpan().optional().describe("Without any raw byte; none"),
    slowAfter: share().optional().describe("The share of a threshold after which silence is told as slow; 0.5"),
    slowRate: above(0).optional().describe("Tokens a second under which generation is told as slow; 0 for never"),
    workMs: openSpan().optional().describe("Total of working time; none"),
  } satisfies Record<keyof Thresholds, z.ZodType>)
    .optional()
    .describe("How long each phase may be silent"),
  timeout: form({
    initialMs: span().optional().describe("While no duration is known; 5m"),
    minMs: span().optional().describe("1m"),
    maxMs: span().optional().describe("30m"),
    factor: above(1).optional().describe("Times the p95 of past durations; 3"),
    backoff: above(1).optional().describe("Times this for each retry; 2"),
  })
    .optional()
    .describe("The adaptive time-out of subjects that nothing else can be judged by"),
  metricsIntervalMs: span().optional().describe("How often /metrics is read; 1s"),
  passThreshold: share().optional().describe("Share of battles that must pass for exit code 0; what is given up by the fault of the subject did not pass"),
  seed: z.int(right("a whole number")).optional().describe("Of the order of items; sent to subjects as metadata"),
  maxAnswerLength: whole(1).optional().describe("Largest answer that is kept and judged, characters; 1000000"),
});
