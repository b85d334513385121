import { createReadStream } from "node:fs";
import { open, rename, rm, truncate, writeFile } from "node:fs/promises";
import { escapeUnsafe } from "../model/unsafe-text.ts";
import type { Attempt } from "./attempt.ts";
import { attemptKey } from "./attempt-record.ts";
import type { Ledger } from "./ledger.ts";
import type { Summary } from "./progress.ts";

/** `results.jsonl`: one line for each attempt that has ended, in the order of their ends; the ledger is right, the file follows it. */
export interface ResultsFile extends AsyncDisposable {
  /** Adds a line; lines keep the order of the calls. Rejects when it cannot be written. */
  add(attempt: Attempt): Promise<void>;
  /** Writes all anew: lines have changed. */
  rewrite(): Promise<void>;
}

/** Opens the file, and brings it up to the ledger: a torn last line goes, lines that are missing come, and a file that says anything else is made anew. */
export async function openResultsFile(path: string, ledger: Pick<Ledger, "attempts">): Promise<ResultsFile> {
  const known = await readKnown(path);
  if (known !== undefined) await truncate(path, known.length).catch(() => undefined);
  if (known === undefined || !(await addMissing(path, ledger, known.keys))) await writeAll(path, ledger);
  let handle = await open(path, "a");
  let last: Promise<unknown> = Promise.resolve();
  const inOrder = (work: () => Promise<void>): Promise<void> => {
    const next = last.then(work);
    last = next.catch(() => undefined);
    return next;
  };
  return {
    add: (attempt) => inOrder(() => handle.appendFile(lineOf(attempt))),
    rewrite: () =>
      inOrder(async () => {
        await handle.close();
        await writeAll(path, ledger);
        handle = await open(path, "a");
      }),
    async [Symbol.asyncDispose]() {
      await last;
      await handle.close();
    },
  };
}

/** Replaces `summary.json`: a reader sees the old one or the new one. */
export async function writeSummary(path: string, summary: Summary): Promise<void> {
  await writeFile(`${path}.new`, `${JSON.stringify(summary, undefined, 2).split("\n").map(escapeUnsafe).join("\n")}\n`);
  await rename(`${path}.new`, path);
}

function lineOf(attempt: Attempt): string {
  // A person may look at it on a terminal.
  return `${escapeUnsafe(JSON.stringify(attempt))}\n`;
}

/** The attempts that the file has, and its length up to the end of its last whole line; undefined for what is no such file. */
async function readKnown(path: string): Promise<{ readonly keys: Set<string>; readonly length: number } | undefined> {
  const keys = new Set<string>();
  let length = 0;
  try {
    for await (const line of wholeLines(path)) {
      const key = keyOf(line.toString("utf8"));
      if (key === undefined || keys.has(key)) return undefined;
      keys.add(key);
      length += line.length + 1;
    }
  } catch {
    return undefined;
  }
  return { keys, length };
}

/** Lines that end with LF, and with nothing else: JSON text may hold other line separators. */
async function* wholeLines(path: string): AsyncGenerator<Buffer, void, undefined> {
  let pieces: Buffer[] = [];
  for await (const chunk of createReadStream(path) as AsyncIterable<Buffer>) {
    let from = 0;
    for (let at = chunk.indexOf(0x0a); at >= 0; at = chunk.indexOf(0x0a, from)) {
      yield Buffer.concat([...pieces, chunk.subarray(from, at)]);
      pieces = [];
      from = at + 1;
    }
    pieces.push(chunk.subarray(from));
  }
}

function keyOf(line: string): string | undefined {
  try {
    const { battle, attempt, endedAt } = JSON.parse(line) as Partial<Attempt>;
    return typeof battle === "string" && typeof attempt === "number" && typeof endedAt === "number" ? attemptKey(battle, attempt) : undefined;
  } catch {
    return undefined;
  }
}

/** False when the file has lines that the ledger does not have. */
async function addMissing(path: string, ledger: Pick<Ledger, "attempts">, keys: Set<string>): Promise<boolean> {
  const file = await open(path, "a");
  let found = 0;
  try {
    for await (const attempt of ledger.attempts()) {
      if (attempt.endedAt === undefined) continue;
      if (keys.has(attemptKey(attempt.battle, attempt.attempt))) {
        found += 1;
        // Its line may be from before.
        if (attempt.discounted === true) return false;
      } else await file.appendFile(lineOf(attempt));
    }
  } finally {
    await file.close();
  }
  return found === keys.size;
}

async function writeAll(path: string, ledger: Pick<Ledger, "attempts">): Promise<void> {
  const draft = `${path}.new`;
  await rm(draft, { force: true });
  const file = await open(draft, "w");
  try {
    for await (const attempt of ledger.attempts()) if (attempt.endedAt !== undefined) await file.appendFile(lineOf(attempt));
  } finally {
    await file.close();
  }
  await rename(draft, path);
}
