import assert from "node:assert/strict";
import { createInlineMedia } from "./inline-media.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import type { Store } from "../../src/lib/log/store.ts";
import type { StreamResponse } from "../../src/lib/model/a2a.ts";
import { IasError } from "../../src/lib/model/errors.ts";
import type { StreamKey } from "../../src/lib/model/key.ts";
import { DEFAULT_LIMITS } from "../../src/lib/model/limits.ts";
import { createGuardedFetch } from "../../src/lib/net/guarded-fetch.ts";
import { createTaskViews } from "../../src/lib/task/view.ts";
import { createSecrets } from "../../src/lib/tenancy/secrets.ts";
import { keyOf, openWriter, rowOf, statusEntry, type Writer } from "../../src/lib/testing/log-support.ts";
import { createManualClock } from "./manual-clock.ts";
import type { Call, PushConfig } from "../../src/lib/a2a/operations.ts";
import { createPush, type Push, type PushParts } from "../../src/lib/a2a/push/push.ts";

/** The task that tests push for. */
export const KEY = keyOf("t1");
/** Seals what tests keep. */
export const secrets = createSecrets(Buffer.alloc(32, 7));

/** What tests of push work with. */
export interface Bench {
  readonly store: Store;
  readonly clock: ReturnType<typeof createManualClock>;
  readonly reports: IasError[];
  open(overrides?: Partial<PushParts>): Promise<Push>;
  create(push: Push, config: Partial<PushConfig> & { url: string }, key?: StreamKey, version?: Call["version"]): Promise<PushConfig>;
}

/** Push over a memory store and a clock of its own. */
export function bench(): Bench {
  const clock = createManualClock();
  const store = createMemoryStore({ now: () => clock.now() });
  const reports: IasError[] = [];
  return {
    store,
    clock,
    reports,
    async open(overrides = {}) {
      const push = createPush({
        log: store.log,
        records: store.records,
        views: createTaskViews(store.log),
        media: createInlineMedia(),
        fetch: createGuardedFetch({ allowLocal: true }),
        issuer: () => "https://agents.example.com",
        limits: DEFAULT_LIMITS,
        secrets,
        clock,
        random: () => 1,
        mayReply: () => false,
        report: (error) => reports.push(error),
        ...overrides,
      });
      await push.start();
      return push;
    },
    create(push, config, key = KEY, version = "1.0") {
      const call = { principal: key, version, extensions: new Set(), signal: new AbortController().signal } as unknown as Call;
      return push.create(call, key, { id: "c1", ...config });
    },
  };
}

/** A task that has been made and nothing more, as the operations leave it. */
export async function begin(store: Store, key = KEY): Promise<Writer> {
  const writer = await openWriter(store.log, key);
  const event = JSON.stringify({ task: { id: key.task, contextId: "c", status: { state: "TASK_STATE_SUBMITTED", timestamp: "2026-01-01T00:00:00.000Z" } } });
  await writer.write([{ gen: 1, at: 0, attempt: 0, audience: "public", event }], { index: rowOf(key, { state: "TASK_STATE_SUBMITTED" }) });
  return writer;
}

/** Ends the task. */
export function complete(writer: Writer): Promise<unknown> {
  return writer.write([statusEntry("TASK_STATE_COMPLETED")], { index: rowOf(writer.key, { state: "TASK_STATE_COMPLETED" }) });
}

/** An event in a word. */
export function say(event: StreamResponse): string {
  if ("artifactUpdate" in event) return event.artifactUpdate.artifact.parts.map((part) => part.text).join("");
  if ("statusUpdate" in event) return event.statusUpdate.status.state.slice(11);
  return "task" in event ? `task ${event.task.status.state.slice(11)}` : "message";
}

/** Waits until something has come true. */
export async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; !(await condition()); tries += 1) {
    assert.ok(tries < 60_000, "it should have come true");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** The error that work ends with. */
export async function refusal(work: Promise<unknown>): Promise<IasError> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof IasError, String(error));
    return error;
  }
  return assert.fail("it was not refused");
}
