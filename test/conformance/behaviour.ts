import { setTimeout as wait } from "node:timers/promises";
import type { AgentEvent, Engine, Turn } from "../../src/lib/engine/engine.ts";
import { scripted, type ScriptFunction } from "../../src/lib/engine/scripted.ts";
import type { Part } from "../../src/lib/model/a2a.ts";

/** What the conformance agent may be asked to do otherwise. */
export interface Behaviour {
  /** One entry that is not public between any two public ones: nothing that a plain client sees may change. */
  readonly noise: boolean;
  /** Any message leads to WORKING and INPUT_REQUIRED, as the 0.3 suite wants it. */
  readonly compat03: boolean;
}

const FILE: Part = { raw: Buffer.from("tck").toString("base64"), filename: "output.txt", mediaType: "text/plain" };
const URL_FILE: Part = { url: "https://example.com/output.txt", filename: "output.txt", mediaType: "text/plain" };

/** What a turn does, by the beginning of its last message's id; the first that fits counts, so longer ones stand first. */
const ACTS: readonly (readonly [prefix: string, act: ScriptFunction])[] = [
  ["tck-artifact-text", artifact({ text: "Generated text content" })],
  ["tck-artifact-file-url", artifact(URL_FILE)],
  ["tck-artifact-file", artifact(FILE)],
  ["tck-artifact-data", artifact({ data: { key: "value", count: 42 } })],
  ["tck-message-response", events({ kind: "reply", parts: [{ text: "Direct message response" }] })],
  ["tck-input-required", ask],
  ["tck-reject-task", events({ kind: "end", outcome: "rejected", message: [{ text: "Rejected by TCK" }] })],
  ["tck-stream-ordering-001", artifact({ text: "Ordered output" })],
  ["tck-stream-artifact-text", artifact({ text: "Streamed text content" })],
  ["tck-stream-artifact-file", artifact(FILE)],
  [
    "tck-stream-artifact-chunked",
    events(
      { kind: "artifact", artifact: { artifactId: "output", parts: [{ text: "chunk-1 " }] } },
      { kind: "artifact", artifact: { artifactId: "output", parts: [{ text: "chunk-2" }] }, append: true, lastChunk: true },
    ),
  ],
  ["tck-stream-001", artifact({ text: "Stream hello from TCK" })],
  ["tck-stream-002", events()],
  ["tck-stream-003", artifact({ text: "Stream task lifecycle" })],
  ["test-resubscribe-message-id", linger],
];

/** The engine of the conformance agent (issue 3, section 6). */
export function conformanceEngine({ noise, compat03 }: Behaviour): Engine {
  return scripted((turn, options) => {
    const id = turn.input.at(-1)?.messageId ?? "";
    const act = compat03 ? ask : (ACTS.find(([prefix]) => id.startsWith(prefix))?.[1] ?? complete);
    return noise ? withNoise(act(turn, options)) : act(turn, options);
  });
}

function events(...all: readonly AgentEvent[]): ScriptFunction {
  return async function* () {
    yield* all;
  };
}

function artifact(part: Part): ScriptFunction {
  return events({ kind: "artifact", artifact: { artifactId: "output", parts: [part] }, lastChunk: true });
}

async function* complete(): AsyncIterable<AgentEvent> {
  yield { kind: "end", outcome: "completed", message: [{ text: "Hello from TCK" }] };
}

async function* ask(): AsyncIterable<AgentEvent> {
  yield { kind: "interrupt", reason: "input", message: [{ text: "What else?" }] };
}

async function* linger(_turn: Turn, { signal }: { readonly signal: AbortSignal }): AsyncIterable<AgentEvent> {
  yield { kind: "status" };
  await wait(4000, undefined, { signal });
}

/** Reasoning is internal, a note is for readers of the extension: they take turns, before each event and after the last. A reply is alone by its nature. */
async function* withNoise(act: AsyncIterable<AgentEvent>): AsyncIterable<AgentEvent> {
  let count = 0;
  const noise = (): AgentEvent => {
    count += 1;
    return count % 2 === 0 ? { kind: "reasoning", text: `noise ${count}` } : { kind: "note", name: "noise", value: { count, task_state: 3 } };
  };
  for await (const event of act) {
    if (event.kind !== "reply") yield noise();
    yield event;
    if (event.kind === "reply" || event.kind === "end" || event.kind === "interrupt") return;
  }
  yield noise();
}
