import { createInterface } from "node:readline";
import { setTimeout as wait } from "node:timers/promises";
import type { AgentOptions } from "../../src/lib/engine/agent.ts";
import type { AgentEvent, Turn } from "../../src/lib/engine/engine.ts";
import { scripted, textOf } from "../../src/lib/engine/scripted.ts";

/** What a message asks of the agents of the proofs, as JSON in its text. */
export interface CountRequest {
  /** How many chunks. */
  readonly n: number;
  /** Least length of a chunk, characters. */
  readonly chars?: number;
  /** Pause after each chunk, ms; without one it only yields to the event loop, now and then. */
  readonly ms?: number;
  /** Waits before this chunk for the line `go`. */
  readonly hold?: number;
}

/** The text of one chunk: numbered, of different lengths, beyond ASCII. */
export function chunkText(attempt: number, index: number, chars = 0): string {
  return `${attempt}:${index} ${["", "ä", "é中", "😀", "  "][index % 5]}${index % 7 === 0 ? "\n" : ""};`.padEnd(chars, "~");
}

/** All text of a turn. */
export function countText(attempt: number, { n, chars }: CountRequest): string {
  return Array.from({ length: n }, (_, index) => chunkText(attempt, index, chars)).join("");
}

/** What the server is told on its standard input, line by line, while it runs: `go`, and `saw <index>` in lock step. */
export interface SideChannel {
  /** Resolves when the line has come; each line is used up once. */
  line(text: string): Promise<void>;
}

export function openSideChannel(onEnd: () => void): SideChannel {
  const come = new Set<string>();
  const waiting = new Map<string, () => void>();
  createInterface({ input: process.stdin })
    .on("line", (text) => {
      const wake = waiting.get(text);
      waiting.delete(text);
      if (wake === undefined) come.add(text);
      else wake();
    })
    .on("close", onEnd);
  return {
    async line(text) {
      if (come.delete(text)) return;
      await new Promise<void>((resolve) => waiting.set(text, resolve));
    },
  };
}

/**
 * `count` streams what it is asked for; `steady` does so until the server was started with `finish`; `rolling` keeps the newest MiB of its artifact;
 * `steps` makes chunk n + 1 only after `saw n`; `tool` starts a tool that must not run twice, then streams until it is ended.
 */
export function proofAgents(channel: SideChannel, options: { readonly finish: boolean }): readonly AgentOptions[] {
  async function* count(turn: Turn, { signal }: { readonly signal: AbortSignal }): AsyncIterable<AgentEvent> {
    const { n, chars, ms, hold } = requestOf(turn);
    for (let index = 0; index < n; index += 1) {
      if (index === hold) await channel.line("go");
      yield { kind: "text", text: chunkText(turn.attempt, index, chars) };
      if (ms !== undefined) await wait(ms, undefined, { signal });
      else if (index % 20 === 0) await new Promise((resolve) => setImmediate(resolve));
    }
  }
  async function* steady(turn: Turn, { signal }: { readonly signal: AbortSignal }): AsyncIterable<AgentEvent> {
    const { n, chars, ms = 1 } = requestOf(turn);
    for (let index = 0; !options.finish || index < n; index += 1) {
      yield { kind: "text", text: chunkText(turn.attempt, index, chars) };
      await wait(ms, undefined, { signal });
    }
  }
  async function* steps(turn: Turn): AsyncIterable<AgentEvent> {
    for (let index = 0; index < requestOf(turn).n; index += 1) {
      yield { kind: "text", text: chunkText(turn.attempt, index) };
      await channel.line(`saw ${index}`);
    }
  }
  async function* tool(turn: Turn, { signal }: { readonly signal: AbortSignal }): AsyncIterable<AgentEvent> {
    yield { kind: "tool-call", call: "c1", name: "transfer_money", arguments: "{}" };
    for (let index = 0; ; index += 1) {
      yield { kind: "text", text: chunkText(turn.attempt, index) };
      await wait(5, undefined, { signal });
    }
  }
  return [
    { id: "count", engine: scripted(count), onCrash: "restart" },
    { id: "steady", engine: scripted(steady), onCrash: "restart" },
    { id: "rolling", engine: scripted(count), maxArtifactBytes: { limit: 1024 * 1024, policy: "roll" } },
    { id: "steps", engine: scripted(steps) },
    { id: "tool", engine: scripted(tool) },
  ];
}

function requestOf(turn: Turn): CountRequest {
  return JSON.parse(textOf(turn.input)) as CountRequest;
}
