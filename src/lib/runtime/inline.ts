import { IasError } from "../model/errors.ts";
import { joinKey, keyText, type StreamKey } from "../model/key.ts";
import type { RuntimeParts } from "./parts.ts";
import type { Runtime } from "./runtime.ts";
import { type RunningTask, runTask } from "./turn.ts";

/** How often leases are renewed and turns without an owner are looked for, ms. */
const TICK_MS = 1000;

/** Tasks that one sweep takes up; the next sweep takes more. */
const SWEEP_LIMIT = 100;

/**
 * Runs turns in this process (recipe R1). One turn a conversation at a time; what waits is in the index as SUBMITTED, in the order of creation, and
 * is looked up when a turn ends. Starts with a sweep that takes up what a dead process left. Disposing drains without grace.
 */
export function createInlineRuntime(parts: RuntimeParts): Runtime {
  const { index, log } = parts.store;
  /** Conversations with a turn running or waiting for a place; `again` says that a submit came meanwhile. */
  const busy = new Map<string, { again: boolean }>();
  const running = new Map<string, RunningTask>();
  const waiting: { conversation: string; key: StreamKey }[] = [];
  let active = 0;
  let draining = false;

  const conversationOf = (key: StreamKey, context: string): string => joinKey(key.tenant, key.user, key.agent, context);

  const place = (conversation: string, key: StreamKey): void => {
    if (active >= parts.limits.maxParallelTurns) waiting.push({ conversation, key });
    else {
      active += 1;
      void work(conversation, key);
    }
  };

  /** Runs `key`, then whatever of its conversation is due, then gives the place to another conversation. Never rejects. */
  const work = async (conversation: string, first: StreamKey): Promise<void> => {
    try {
      let key: StreamKey | undefined = first;
      while (key !== undefined && !draining) {
        // A task that could not be taken is somebody else's, or a later sweep's.
        key = (await runOne(key)) ? await nextOf(conversation, key) : undefined;
      }
    } catch (error) {
      parts.report(IasError.from(error), first);
    } finally {
      busy.delete(conversation);
      active -= 1;
      const next = draining ? undefined : waiting.shift();
      if (next !== undefined) place(next.conversation, next.key);
    }
  };

  const nextOf = async (conversation: string, last: StreamKey): Promise<StreamKey | undefined> => {
    const slot = busy.get(conversation);
    for (;;) {
      if (slot !== undefined) slot.again = false;
      const context = decodeURIComponent(conversation.slice(conversation.lastIndexOf("/") + 1));
      const { tasks } = await index.list({
        tenant: last.tenant,
        user: last.user,
        agent: last.agent,
        context,
        states: ["TASK_STATE_SUBMITTED"],
        order: "oldest",
        limit: 1,
      });
      const task = tasks[0];
      if (task !== undefined) return task.key;
      if (slot?.again !== true) return undefined;
    }
  };

  /** Takes the task's stream and runs its turns; false if somebody else has it. */
  const runOne = async (key: StreamKey): Promise<boolean> => {
    const row = await index.get(key);
    const agent = parts.agents.get(key.agent);
    if (row === undefined || agent === undefined) return false;
    const restart = row.state === "TASK_STATE_WORKING";
    if (!restart && row.state !== "TASK_STATE_SUBMITTED") return false;
    // A SUBMITTED task's epoch belongs to whoever recorded it and is done with it; a WORKING one's to a turn, which may be alive.
    const opened = await log.open(key, { owner: parts.owner, expect: restart ? "expired" : row.epoch });
    if (!opened.ok) return false;
    const task = runTask(parts, agent, row, opened, restart);
    running.set(keyText(key), task);
    try {
      await task.done;
    } finally {
      running.delete(keyText(key));
    }
    return true;
  };

  const submit = (key: StreamKey, context: string): void => {
    const conversation = conversationOf(key, context);
    const slot = busy.get(conversation);
    if (slot !== undefined) slot.again = true;
    else if (!draining) {
      busy.set(conversation, { again: false });
      place(conversation, key);
    }
  };

  /** Takes up turns of the agents that are served here whose owner is gone: SUBMITTED and WORKING tasks whose lease has ended. */
  const sweep = async (): Promise<void> => {
    for (const agent of parts.agents.keys()) {
      const { tasks } = await index.list({
        agent,
        states: ["TASK_STATE_SUBMITTED", "TASK_STATE_WORKING"],
        leaseEnded: true,
        order: "oldest",
        limit: SWEEP_LIMIT,
      });
      for (const task of tasks) if (!running.has(keyText(task.key))) submit(task.key, task.context);
    }
  };
  let sweeping = false;
  const tick = (): void => {
    for (const task of running.values()) task.renew();
    if (sweeping || draining) return;
    sweeping = true;
    sweep()
      .catch((error: unknown) => parts.report(IasError.from(error)))
      .finally(() => {
        sweeping = false;
      });
  };
  const timer = setInterval(tick, TICK_MS);
  tick();

  const drain = async (graceMs: number): Promise<void> => {
    draining = true;
    waiting.length = 0;
    const all = Promise.all([...running.values()].map((task) => task.done));
    let grace: NodeJS.Timeout | undefined;
    const late = new Promise<void>((resolve) => {
      grace = setTimeout(resolve, graceMs);
    });
    await Promise.race([all, late]);
    clearTimeout(grace);
    for (const task of running.values()) task.abandon(new IasError("unavailable", "The server is stopping."));
    await all;
    clearInterval(timer);
  };

  return {
    admit() {
      if (draining)
        throw new IasError("unavailable", "The server is stopping and takes no new work; send it again in a moment.", {
          reason: "DRAINING",
          retryable: true,
          retryAfterMs: 2000,
        });
      if (waiting.length >= parts.limits.maxQueuedTurns) {
        throw new IasError("limit-reached", `${waiting.length} turns wait for a place (maxQueuedTurns); send this later.`, {
          reason: "QUEUE_FULL",
          retryable: true,
          retryAfterMs: 1000,
        });
      }
    },
    async submit(key) {
      const row = await index.get(key);
      if (row?.state === "TASK_STATE_SUBMITTED") submit(key, row.context);
    },
    input: async (key, input) => (await running.get(keyText(key))?.input(input)) ?? "idle",
    cancel: async (key, request) => running.get(keyText(key))?.cancel(request) ?? "idle",
    drain: ({ graceMs }) => drain(graceMs),
    [Symbol.asyncDispose]: () => drain(0),
  };
}
