import type { Task } from "../../../src/lib/model/a2a.ts";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { IasError, messageOf } from "../../../src/lib/model/errors.ts";

const FORMAT = "ias-stream/1";

/** A stream as a file has it: one JSON value a line, first what it is, then its entries. */
export interface StreamFile {
  readonly agent: string;
  readonly task: string;
  /** What the task amounted to before the first entry, where earlier ones are gone. */
  readonly snapshot?: Task;
  readonly entries: readonly StreamEntry[];
}

/** The file's text. */
export function writeNdjson({ agent, task, snapshot, entries }: StreamFile): string {
  const head = { format: FORMAT, agent, task, ...(snapshot !== undefined && { snapshot }) };
  return `${[head, ...entries].map((line) => JSON.stringify(line)).join("\n")}\n`;
}

/** What a file holds. Throws `parse-error` with the line that is wrong. */
export function readNdjson(text: string): StreamFile {
  const lines = text.split(/\r?\n/).filter((line) => line.trim() !== "");
  const [head = {}, ...rest] = lines.map((line, at) => parseLine(line, at + 1));
  if (head["format"] !== FORMAT) throw wrong(1, `must be {"format":"${FORMAT}","agent":…,"task":…}: this is no stream that was exported here`);
  let last = 0;
  const entries = rest.map((line, at) => {
    const { seq, event } = line;
    if (typeof seq !== "number" || !Number.isInteger(seq) || seq <= last) throw wrong(at + 2, `must be an entry with a seq above ${last}`);
    if (event === null || typeof event !== "object") throw wrong(at + 2, "must be an entry with an event");
    last = seq;
    return line as unknown as StreamEntry;
  });
  const snapshot = head["snapshot"];
  return {
    agent: nameIn(head["agent"]),
    task: nameIn(head["task"]),
    ...(snapshot !== null && typeof snapshot === "object" && { snapshot: snapshot as Task }),
    entries,
  };
}

function nameIn(value: unknown): string {
  return typeof value === "string" && value !== "" ? value : "file";
}

function parseLine(line: string, number: number): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(line);
    if (value !== null && typeof value === "object" && !Array.isArray(value)) return value as Readonly<Record<string, unknown>>;
  } catch (error) {
    throw wrong(number, `is not JSON (${messageOf(error)})`);
  }
  throw wrong(number, "must be a JSON object");
}

function wrong(line: number, what: string): IasError {
  return new IasError("parse-error", `Line ${line} of the file ${what}.`);
}
