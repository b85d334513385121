import { dirname, join } from "node:path";
import { type Document, LineCounter, parseDocument, visit } from "yaml";
import { DEFAULT_THRESHOLDS, resolveThresholds, type Thresholds } from "../liveness/thresholds.ts";
import { IasError, messageOf } from "../model/errors.ts";
import type { AdaptiveTimeout, Campaign, Green, Item, RetryClass, Retries, Subject } from "./campaign.ts";
import { explain, type Fault, fieldName } from "./explain.ts";
import { campaignError, lineOf } from "./fault-lines.ts";
import { type CampaignFile, campaignFileSchema, itemSchema, show, toMs } from "./file-schema.ts";

/** Where a file's text is from. */
export interface ReadOptions {
  /** Of the campaign's file, for messages; `items` that name a file are relative to its folder. */
  readonly path: string;
  /** Reads a file that the campaign names. Throws what it likes; the message is passed on. */
  readonly readFile: (path: string) => string;
}

/** Retries of each class where the file names none. A rate limit is no failure of anybody; an agent that says that it failed mostly fails again. */
export const DEFAULT_RETRIES: Retries = {
  maxAttempts: 5,
  byClass: { transport: 4, stall: 2, "rate-limit": 4, "server-error": 3, "agent-failed": 1, "judge-failed": 4 },
  baseMs: 1000,
  maxMs: 60_000,
  maxRetryAfterMs: 3_600_000,
};

/** The time-out of what nothing else can be judged by: generous, because a time-out cannot tell slow from hung. */
export const DEFAULT_TIMEOUT: AdaptiveTimeout = { initialMs: 300_000, minMs: 60_000, maxMs: 1_800_000, factor: 3, backoff: 2 };

/**
 * The campaign of a YAML (or JSON) file, every default filled in. Throws `configuration` with each fault's place in the file, its line, what is wrong
 * and what is right; `fields` has them one by one.
 */
export function readCampaign(text: string, options: ReadOptions): Campaign {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines, prettyErrors: true, uniqueKeys: true });
  const [broken] = document.errors;
  if (broken !== undefined) throw new IasError("configuration", `${options.path} is not YAML: ${broken.message.trimEnd()}`, { cause: broken });
  const value = toValue(document, options.path, lines);
  if (value === null || value === undefined) throw new IasError("configuration", `${options.path} is empty; a campaign has at least name, items and subjects.`);
  const parsed = campaignFileSchema.safeParse(value, { reportInput: true });
  if (!parsed.success) throw campaignError(options.path, explain(parsed.error), (fault) => lineOf(fault, document, lines));
  const faults: Fault[] = [];
  const campaign = resolve(parsed.data, options, faults);
  if (faults.length > 0) throw campaignError(options.path, faults, (fault) => lineOf(fault, document, lines));
  return campaign;
}

/** Faults that were found in a campaign after it was read, as `readCampaign` would have told them: with the lines of its text. */
export function faultsOfText(text: string, path: string, faults: readonly Fault[]): IasError {
  const lines = new LineCounter();
  const document = parseDocument(text, { lineCounter: lines });
  return campaignError(path, faults, (fault) => lineOf(fault, document, lines));
}

function toValue(document: Document.Parsed, path: string, lines: LineCounter): unknown {
  visit(document, {
    Alias(_, alias, above) {
      const named = alias.resolve(document);
      if (named === undefined || !above.includes(named)) return;
      const line = alias.range == null ? "" : `line ${lines.linePos(alias.range[0]).line}: `;
      throw new IasError("configuration", `${path} cannot be read: ${line}*${alias.source} stands inside &${alias.source}, so it would have no end.`);
    },
  });
  try {
    return document.toJS({ maxAliasCount: 100 });
  } catch (error) {
    throw new IasError("configuration", `${path} cannot be read: ${messageOf(error)}`, { cause: error });
  }
}

function resolve(file: CampaignFile, options: ReadOptions, faults: Fault[]): Campaign {
  const concurrency = file.concurrency ?? 4;
  const green = toGreen(file.green ?? "contains");
  const items = typeof file.items === "string" ? readItems(file.items, options) : file.items.map(toItem);
  checkItems(items, green, typeof file.items === "string" ? file.items : undefined, faults);
  const subjects = file.subjects.map((subject, at) => toSubject(subject, at, concurrency));
  for (const at of twice(subjects.map(({ id }) => id)))
    faults.push({ field: `subjects[${at}].id`, path: ["subjects", at, "id"], what: `is ${show(subjects[at]?.id)}, which another subject has` });
  const timeout = toTimeout(file.timeout);
  if (timeout.minMs > timeout.maxMs)
    faults.push({ field: "timeout.minMs", path: ["timeout", "minMs"], what: `is ${timeout.minMs} ms; it must be at most maxMs, ${timeout.maxMs} ms` });
  const checks = greensOf(green, items).map(([path, one]) => ({ path, what: faultOf(one) }));
  for (const { path, what } of checks) if (what !== undefined) faults.push({ field: fieldName(path), path, what });
  return {
    name: file.name,
    items,
    subjects,
    green,
    ...(file.target !== undefined && { target: file.target }),
    repeat: file.repeat ?? 1,
    concurrency,
    retries: toRetries(file.retries),
    liveness: file.liveness ?? "auto",
    thresholds: toThresholds(file.thresholds, faults),
    timeout,
    metricsIntervalMs: toMs(file.metricsIntervalMs ?? 1000),
    ...(file.passThreshold !== undefined && { passThreshold: file.passThreshold }),
    ...(file.seed !== undefined && { seed: file.seed }),
    maxAnswerLength: file.maxAnswerLength ?? 1_000_000,
  };
}

type FileItem = Exclude<CampaignFile["items"], string>[number];

/** Items of a JSONL file; blank lines do not count. Faults are told with the file's own lines. */
function readItems(name: string, { path, readFile }: ReadOptions): readonly Item[] {
  const file = join(dirname(path), name);
  let text: string;
  try {
    text = readFile(file);
  } catch (error) {
    const why = messageOf(error);
    throw new IasError("configuration", `${path} takes its items from ${show(name)}, which cannot be read: ${why}`, { cause: error });
  }
  const lines = text.replace(/^\uFEFF/, "").split("\n");
  const given: FileItem[] = [];
  const faults: (Fault & { readonly line: number })[] = [];
  for (const [at, line] of lines.entries()) {
    if (line.trim() === "") continue;
    let value: unknown;
    try {
      value = JSON.parse(line);
    } catch {
      faults.push({ field: "", path: [], line: at + 1, what: `is not JSON: ${show(line)}; each line must be an object such as {"prompt": "…"}` });
      continue;
    }
    const parsed = itemSchema.safeParse(value, { reportInput: true });
    if (parsed.success) given.push(parsed.data);
    else faults.push(...explain(parsed.error).map((fault) => ({ ...fault, line: at + 1 })));
  }
  if (faults.length > 0) throw campaignError(file, faults, (fault) => faults.find((one) => one === fault)?.line);
  if (given.length === 0) throw new IasError("configuration", `${file} has no items; each line must be an object such as {"prompt": "…"}.`);
  return given.map(toItem);
}

function toItem(given: FileItem, at: number): Item {
  if (typeof given === "string") return { id: String(at + 1), prompt: given };
  const { id, prompt, expected, green, metadata } = given;
  return {
    id: String(id ?? at + 1),
    prompt,
    ...(expected !== undefined && { expected }),
    ...(green !== undefined && { green: toGreen(green) }),
    ...(metadata !== undefined && { metadata }),
  };
}

/** What the form of an item cannot say: ids are unique, a prompt is there unless a green agent has its own, and what scorers compare with is there. */
function checkItems(items: readonly Item[], green: Green, file: string | undefined, faults: Fault[]): void {
  const place = (at: number, member: string): Pick<Fault, "field" | "path"> =>
    file === undefined
      ? { field: `items[${at}].${member}`, path: ["items", at, member] }
      : { field: `items (${file}, item ${at + 1}).${member}`, path: ["items"] };
  for (const at of twice(items.map(({ id }) => id))) faults.push({ ...place(at, "id"), what: `is ${show(items[at]?.id)}, which another item has` });
  for (const [at, item] of items.entries()) {
    const { kind } = item.green ?? green;
    if (item.prompt === "" && kind !== "a2a") faults.push({ ...place(at, "prompt"), what: "is empty; it must be what the subject is asked" });
    if ((kind === "exact" || kind === "contains") && item.expected === undefined)
      faults.push({ ...place(at, "expected"), what: `is missing; the scorer ${kind} compares the answer with it` });
  }
}

function greensOf(green: Green, items: readonly Item[]): readonly (readonly [readonly PropertyKey[], Green])[] {
  return [[["green"], green], ...items.flatMap((item, at) => (item.green === undefined ? [] : ([[["items", at, "green"], item.green]] as const)))];
}

/** What is wrong with a scorer that has the right form. */
function faultOf(green: Green): string | undefined {
  if (green.kind !== "regex") return undefined;
  try {
    void new RegExp(green.pattern, green.flags);
    return undefined;
  } catch (error) {
    return `is a regex that cannot be used: ${messageOf(error)}`;
  }
}

/** Places of ids that were there before. */
function twice(ids: readonly string[]): readonly number[] {
  const seen = new Set<string>();
  return ids.flatMap((id, at) => (seen.size === seen.add(id).size ? [at] : []));
}

/** When a judge's rubric is not given. */
const DEFAULT_RUBRIC = "Pass when the answer is right and says what was asked; where an expected answer is given, it must agree with it in substance.";

function toGreen(given: NonNullable<CampaignFile["green"]>): Green {
  const green: Exclude<typeof given, string> = typeof given === "string" ? { kind: given } : given;
  switch (green.kind) {
    case "exact":
      return { kind: "exact", ignoreCase: green.ignoreCase ?? false, trim: green.trim ?? true };
    case "contains":
      return { kind: "contains", ignoreCase: green.ignoreCase ?? false };
    case "regex":
      return { kind: "regex", pattern: green.pattern, flags: green.flags ?? "u" };
    case "json-schema":
      return { kind: "json-schema", schema: green.schema };
    case "judge": {
      const { model, baseUrl, apiKeyEnv } = green;
      return { kind: "judge", model, baseUrl, ...(apiKeyEnv !== undefined && { apiKeyEnv }), rubric: green.rubric ?? DEFAULT_RUBRIC };
    }
    case "a2a":
      return { kind: "a2a", url: green.url, config: green.config ?? {}, role: green.role ?? "agent", others: green.others ?? {} };
    case "function":
      return { kind: "function", module: green.module, name: green.name ?? "default" };
  }
}

function toSubject(given: CampaignFile["subjects"][number], at: number, concurrency: number): Subject {
  const subject: Exclude<typeof given, string> = typeof given === "string" ? { url: given } : given;
  return {
    id: String(subject.id ?? `subject-${at + 1}`),
    url: subject.url,
    concurrency: subject.concurrency ?? concurrency,
    ...(subject.metricsUrl !== undefined && { metricsUrl: subject.metricsUrl }),
    ...(subject.metricsHeadersFromEnv !== undefined && { metricsHeadersFromEnv: subject.metricsHeadersFromEnv }),
    headersFromEnv: subject.headersFromEnv ?? {},
    ...(subject.liveness !== undefined && { liveness: subject.liveness }),
  };
}

function toRetries(given: CampaignFile["retries"]): Retries {
  const byClass = Object.entries(given?.byClass ?? {}).filter(([, count]) => count !== undefined) as readonly (readonly [RetryClass, number])[];
  return {
    maxAttempts: given?.maxAttempts ?? DEFAULT_RETRIES.maxAttempts,
    byClass: { ...DEFAULT_RETRIES.byClass, ...Object.fromEntries(byClass) },
    baseMs: toMs(given?.baseMs ?? DEFAULT_RETRIES.baseMs),
    maxMs: toMs(given?.maxMs ?? DEFAULT_RETRIES.maxMs),
    maxRetryAfterMs: toMs(given?.maxRetryAfterMs ?? DEFAULT_RETRIES.maxRetryAfterMs),
  };
}

function toTimeout(given: CampaignFile["timeout"]): AdaptiveTimeout {
  return {
    initialMs: toMs(given?.initialMs ?? DEFAULT_TIMEOUT.initialMs),
    minMs: toMs(given?.minMs ?? DEFAULT_TIMEOUT.minMs),
    maxMs: toMs(given?.maxMs ?? DEFAULT_TIMEOUT.maxMs),
    factor: given?.factor ?? DEFAULT_TIMEOUT.factor,
    backoff: given?.backoff ?? DEFAULT_TIMEOUT.backoff,
  };
}

function toThresholds(given: CampaignFile["thresholds"], faults: Fault[]): Thresholds {
  const named = Object.entries(given ?? {}).flatMap(([name, value]) => (value === undefined ? [] : [[name, toMs(value)] as const]));
  try {
    return resolveThresholds(Object.fromEntries(named));
  } catch (error) {
    faults.push({ field: "thresholds", path: ["thresholds"], what: `do not fit: ${messageOf(error)}` });
    return DEFAULT_THRESHOLDS;
  }
}
