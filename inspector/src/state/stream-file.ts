import type { StreamResponse, Task } from "../../../src/lib/model/a2a.ts";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import type { Audience } from "../../../src/lib/model/entry.ts";

/** A stream as a file holds it. */
export interface SavedStream {
  readonly agent: string;
  readonly task: string;
  readonly context: string;
  /** What the task amounted to before the first entry, where earlier ones are gone. */
  readonly snapshot?: Task;
  readonly entries: readonly StreamEntry[];
}

/** What a file gave: its streams, and what in it could not be read, by line from 1. */
export interface OpenedFile {
  readonly streams: readonly SavedStream[];
  readonly problems: readonly { readonly line: number; readonly message: string }[];
}

/** In the first line of each stream. A reader refuses a format that it does not know. */
const FILE_FORMAT = "ias-stream/1";

/** More problems than these are not worth reading. */
const MAX_PROBLEMS = 100;

/**
 * Streams as NDJSON: for each a line `{ format, agent, task, context }`, then one line an entry, as the API gives it. What is in the entries is in the file:
 * messages, tool arguments, reasoning.
 */
export function* writeLines(streams: readonly SavedStream[]): Generator<string, void, undefined> {
  for (const { agent, task, context, snapshot, entries } of streams) {
    yield `${JSON.stringify({ format: FILE_FORMAT, agent, task, context, ...(snapshot !== undefined && { snapshot }) })}\n`;
    for (const entry of entries) yield `${JSON.stringify(entry)}\n`;
  }
}

/**
 * Reads such a file. Lines that are bare A2A stream events (`{ "task": … }`, `{ "statusUpdate": … }`, also as the `result` of a JSON-RPC response) are entries too,
 * numbered as they come, so that what another tool recorded can be opened.
 */
export function readLines(text: string): OpenedFile {
  const streams: (SavedStream & { readonly entries: StreamEntry[] })[] = [];
  const problems: { line: number; message: string }[] = [];
  let number = 0;
  const complain = (message: string): void => {
    if (problems.length < MAX_PROBLEMS) problems.push({ line: number, message });
  };
  const start = (agent: string, task: string, context: string, snapshot?: Task) => {
    const stream = { agent, task, context, ...(snapshot !== undefined && { snapshot }), entries: [] };
    streams.push(stream);
    return stream;
  };
  for (const line of text.split(/\r?\n/)) {
    number += 1;
    if (line.trim() === "") continue;
    const value = parse(line);
    if (!isObject(value)) complain("is not a JSON object; each line is a stream's head, an entry, or an A2A event");
    else if ("format" in value) {
      if (value["format"] !== FILE_FORMAT) complain(`has the format ${JSON.stringify(value["format"])}; right is "${FILE_FORMAT}"`);
      else start(textOf(value["agent"]), textOf(value["task"]), textOf(value["context"]), snapshotIn(value["snapshot"]));
    } else if (isObject(value["event"])) {
      const entry = toEntry(value);
      const stream = streams.at(-1) ?? start("file", entryTask(entry) ?? "file", "");
      const last = stream.entries.at(-1)?.seq ?? 0;
      if (entry === undefined) complain("is an entry without seq, at, or a known event");
      else if (entry.seq <= last) complain(`has seq ${entry.seq} after ${last}; entries are in order`);
      else stream.entries.push(entry);
    } else {
      const event = bareEvent(value);
      if (event === undefined) {
        complain("is neither a stream's head, nor an entry, nor an A2A event");
        continue;
      }
      const stream = streams.at(-1) ?? start("file", taskOf(event) ?? "file", "");
      const last = stream.entries.at(-1);
      const at = timeOf(event) ?? last?.at ?? 0;
      stream.entries.push({ seq: (last?.seq ?? 0) + 1, gen: 0, at, attempt: 1, audience: "public", event });
    }
  }
  return { streams, problems };
}

/** A name for the file of these streams, without anything that a file system or a shell minds. */
export function fileName(streams: readonly SavedStream[]): string {
  const [first] = streams;
  const name = streams.length === 1 && first !== undefined ? `${first.agent}-${first.task.slice(0, 8)}` : `${streams.length}-streams`;
  return `${name.replaceAll(/[^\w.-]+/g, "_").replace(/^[.-]+/, "")}.ndjson`;
}

const KINDS = ["task", "message", "statusUpdate", "artifactUpdate"] as const;
const AUDIENCES: readonly Audience[] = ["public", "extension", "internal"];

function toEntry(value: Readonly<Record<string, unknown>>): StreamEntry | undefined {
  const { seq, gen, at, attempt, audience, event } = value;
  const known = bareEvent(event);
  if (!isCount(seq) || typeof at !== "number" || !Number.isFinite(at) || known === undefined) return undefined;
  return {
    seq,
    gen: isCount(gen) ? gen : 0,
    at,
    attempt: isCount(attempt) ? attempt : 1,
    audience: AUDIENCES.find((one) => one === audience) ?? "public",
    event: known,
  };
}

/** The shape is checked so far that nothing breaks on it; whether it is right A2A is told frame by frame. */
function bareEvent(value: unknown): StreamResponse | undefined {
  if (!isObject(value)) return undefined;
  if (isObject(value["result"])) return bareEvent(value["result"]);
  const kind = KINDS.find((name) => isObject(value[name]));
  if (kind === undefined) return undefined;
  const inner = value[kind] as Readonly<Record<string, unknown>>;
  const isSound =
    kind === "message"
      ? Array.isArray(inner["parts"])
      : kind === "artifactUpdate"
        ? isObject(inner["artifact"]) && Array.isArray(inner["artifact"]["parts"])
        : isObject(inner["status"]) && typeof inner["status"]["state"] === "string";
  return isSound ? (value as unknown as StreamResponse) : undefined;
}

function taskOf(event: StreamResponse): string | undefined {
  if ("task" in event) return event.task.id;
  return "statusUpdate" in event ? event.statusUpdate.taskId : "artifactUpdate" in event ? event.artifactUpdate.taskId : event.message.taskId;
}

function entryTask(entry: StreamEntry | undefined): string | undefined {
  return entry === undefined ? undefined : taskOf(entry.event);
}

function timeOf(event: StreamResponse): number | undefined {
  const stamp = "task" in event ? event.task.status.timestamp : "statusUpdate" in event ? event.statusUpdate.status.timestamp : undefined;
  const at = stamp === undefined ? Number.NaN : Date.parse(stamp);
  return Number.isNaN(at) ? undefined : at;
}

function snapshotIn(value: unknown): Task | undefined {
  const event = bareEvent({ task: value });
  return event !== undefined && "task" in event ? event.task : undefined;
}

function parse(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function textOf(value: unknown): string {
  return typeof value === "string" ? value : "";
}
