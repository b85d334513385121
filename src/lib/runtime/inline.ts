import { createTicker } from "../liveness/ticker.ts";
import type { TaskIndex } from "../log/task-index.ts";
import { IasError } from "../model/errors.ts";
import { joinKey, keyText, type StreamKey } from "../model/key.ts";
import type { RuntimeParts } from "./parts.ts";
import { queueFull, type Runtime } from "./runtime.ts";
import { type RunningTask, runTask } from "./turn.ts";
import { createPermits } from "../stream/permits.ts";
import { withinMs } from "../stream/within.ts";

/** How often leases are renewed and turns without an owner are looked for, ms. */
const TICK_MS = 1000;

/** Tasks that one sweep takes up; the next sweep takes more. */
const SWEEP_LIMIT = 100;

/** A conversation with a turn that runs or waits for a place. */
interface Conversation {
  readonly name: string;
  readonly context: string;
  /** A submit came since its turns were last looked for. */
  again: boolean;
}

/**
 * Runs turns in this process (recipe R1). One turn a conversation at a time; what waits is in the index as SUBMITTED, in the order of creation, and
 * is looked up when a turn ends. Starts with a sweep that takes up what a dead process left. Disposing drains without grace.
 */
export function createInlineRuntime(parts: RuntimeParts): Runtime {
  const { index, log } = parts.store;
  const ticker = parts.ticker ?? createTicker();
  const busy = new Map<string, Conversation>();
  const running = new Map<string, RunningTask>();
  const places = createPermits(parts.limits.maxParallelTurns, { perOwner: parts.limits.maxParallelTurnsPerUser });
  /** Each works for one conversation and takes one place, or waits for it. */
  const works = new Set<Promise<void>>();
  let draining = false;

  const submit = (key: StreamKey, context: string): void => {
    const name = joinKey(key.tenant, key.user, key.agent, context);
    const known = busy.get(name);
    if (known !== undefined) known.again = true;
    else if (!draining) {
      const conversation = { name, context, again: false };
      busy.set(name, conversation);
      place(conversation, key);
    }
  };

  const place = (conversation: Conversation, key: StreamKey): void => {
    const done = places.run(userOf(key), () => work(conversation, key)).finally(() => works.delete(done));
    works.add(done);
  };

  /** Runs `first`, then whatever of its conversation is due. Never rejects. */
  const work = async (conversation: Conversation, first: StreamKey): Promise<void> => {
    try {
      let key: StreamKey | undefined = first;
      while (key !== undefined && !draining) {
        // A task that could not be taken is somebody else's, or a later sweep's.
        key = (await runOne(key)) ? await nextOf(conversation, key) : undefined;
      }
    } catch (error) {
      parts.report(IasError.from(error), first);
    } finally {
      busy.delete(conversation.name);
    }
  };

  const nextOf = async (conversation: Conversation, last: StreamKey): Promise<StreamKey | undefined> => {
    do {
      conversation.again = false;
      const key = await oldestSubmitted(index, last, conversation.context);
      if (key !== undefined) return key;
    } while (conversation.again);
    return undefined;
  };

  /** Takes the task's stream and runs its turns; false if somebody else has it. */
  const runOne = async (key: StreamKey): Promise<boolean> => {
    const row = await index.get(key);
    const agent = parts.agents.get(key.agent);
    if (row === undefined || agent === undefined) return false;
    const restart = row.state === "TASK_STATE_WORKING";
    if (!restart && row.state !== "TASK_STATE_SUBMITTED") return false;
    // A SUBMITTED task's epoch belongs to whoever recorded it and is done with it; a WORKING one's to a turn, which may be alive.
    const opened = await log.open(key, { owner: parts.owner, ...(restart ? { expect: "expired" } : { expect: row.epoch, head: row.head }) });
    if (!opened.ok || draining) return false;
    const task = runTask({ ...parts, ticker }, agent, row, opened, restart);
    running.set(keyText(key), task);
    try {
      await task.done;
    } finally {
      running.delete(keyText(key));
    }
    return true;
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
    const all = Promise.all(works);
    await withinMs(all, graceMs);
    for (const task of running.values()) task.abandon();
    await all;
    clearInterval(timer);
  };

  return {
    admit(user) {
      if (draining) throw stopping();
      const waiting = places.waiting();
      if (waiting >= parts.limits.maxQueuedTurns) throw queueFull(`${waiting} turns wait for a place`, "maxQueuedTurns");
      const own = places.waiting(userOf(user));
      if (own >= parts.limits.maxQueuedTurnsPerUser) throw queueFull(`${own} turns of this user wait for a place`, "maxQueuedTurnsPerUser");
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

function userOf({ tenant, user }: Pick<StreamKey, "tenant" | "user">): string {
  return joinKey(tenant, user);
}

/** The conversation's task that has waited longest for its turn. */
async function oldestSubmitted(index: TaskIndex, { tenant, user, agent }: StreamKey, context: string): Promise<StreamKey | undefined> {
  const { tasks } = await index.list({ tenant, user, agent, context, states: ["TASK_STATE_SUBMITTED"], order: "oldest", limit: 1 });
  return tasks[0]?.key;
}

function stopping(): IasError {
  return new IasError("unavailable", "The server is stopping and takes no new work; send it again in a moment.", {
    reason: "DRAINING",
    retryable: true,
    retryAfterMs: 2000,
  });
}
