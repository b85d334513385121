import assert from "node:assert/strict";
import type { Agent } from "../../src/lib/engine/agent.ts";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import type { AgentEvent } from "../../src/lib/engine/engine.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import type { TaskState } from "../../src/lib/model/a2a.ts";
import { decodeEvent, encodeEvent } from "../../src/lib/model/entry.ts";
import { type ExtensionData, type LivenessFacts, readExtension } from "../../src/lib/model/extension.ts";
import { DEFAULT_LIMITS } from "../../src/lib/model/limits.ts";
import { createInlineRuntime } from "../../src/lib/runtime/inline.ts";
import { createInlineMedia } from "./inline-media.ts";
import type { ManualTicker } from "./manual-ticker.ts";

/** What an engine does: an event, or silence of so many ms. */
export type Step = AgentEvent | number | "for ever";

/** How a turn went. */
export interface PlayedTurn {
  readonly liveness: readonly LivenessFacts[];
  readonly state: TaskState;
  readonly failure: Extract<ExtensionData, { kind: "failure" }> | undefined;
  readonly aborted: boolean;
}

const KEY = { tenant: "", user: "user", agent: "agent", task: "task" };

/** Runs one turn of an engine that follows `script` on a clock of the test's. */
export async function inlineRuntimeOf(script: readonly Step[], options: { ticker: ManualTicker; liveness: Agent["liveness"] }): Promise<PlayedTurn> {
  const { ticker } = options;
  const store = createMemoryStore();
  const opened = await store.log.open(KEY, { owner: "gateway", expect: 0 });
  assert.ok(opened.ok);
  const task = { id: "task", contextId: "context", status: { state: "TASK_STATE_SUBMITTED" as const } };
  await store.log.append(KEY, {
    epoch: opened.epoch,
    firstSeq: 1,
    entries: [{ gen: 1, at: 0, attempt: 0, audience: "public", event: encodeEvent({ task }) }],
    index: { key: KEY, context: "context", state: "TASK_STATE_SUBMITTED", statusAt: 0, createdAt: 0 },
  });
  let aborted = false;
  const engine = {
    async *run(_turn: unknown, { signal }: { readonly signal: AbortSignal }): AsyncGenerator<AgentEvent> {
      signal.addEventListener("abort", () => (aborted = true));
      for (const step of script) {
        if (typeof step === "object") yield step;
        else for (let left = step === "for ever" ? 1e6 : step; left > 0 && !signal.aborted; left -= 1000) ticker.advance(Math.min(1000, left));
        // What the ticks brought about is written before the engine goes on.
        await new Promise(setImmediate);
        if (signal.aborted) return;
      }
    },
  };
  await using runtime = createInlineRuntime({
    store,
    agents: new Map([["agent", defineAgent({ id: "agent", engine, liveness: options.liveness })]]),
    limits: DEFAULT_LIMITS,
    media: createInlineMedia(),
    now: Date.now,
    ticker,
    owner: "test",
    report: () => {},
    history: async () => [],
    references: async () => [],
  });
  await runtime.submit(KEY);
  const liveness: LivenessFacts[] = [];
  let state: TaskState = "TASK_STATE_SUBMITTED";
  let failure: PlayedTurn["failure"];
  for await (const batch of store.log.follow(KEY, { after: 0, signal: AbortSignal.timeout(60_000) })) {
    for (const entry of batch) {
      const event = decodeEvent(entry);
      const data = readExtension(event);
      if (data?.kind === "liveness") {
        assert.equal(entry.audience, "extension");
        const { kind: _, ...facts } = data;
        liveness.push(facts);
      }
      if (data?.kind === "failure") failure = data;
      if ("statusUpdate" in event) state = event.statusUpdate.status.state;
    }
  }
  return { liveness, state, failure, aborted };
}
