import type { Caller } from "../../api/api.ts";
import type { Agent } from "../../engine/agent.ts";
import { isTerminal } from "../../model/a2a.ts";
import { IasError } from "../../model/errors.ts";
import { streamKey } from "../../model/key.ts";
import { readMark, removalMark, removalRecords } from "../../task/removal.ts";
import type { BridgeParts } from "../bridge-parts.ts";
import type { TaskTurn } from "../turn.ts";
import { unsupported } from "./errors.ts";

/**
 * What `store: false` asks for: the task is in the log while it runs, since the log is what streams it, and is removed `unstoredTaskMs` after its end. Until then a cut stream goes on.
 * Absent, null and true: kept, as every task. Throws `invalid-params` where the answer would be part of a task that is kept.
 */
export async function keepingOf(
  parts: BridgeParts,
  caller: Caller,
  agent: Agent,
  { store, task }: { readonly store?: boolean | null | undefined; readonly task?: string | undefined },
): Promise<{ readonly removeAfterMs?: number }> {
  if (store !== false) return {};
  if (task !== undefined && (await storingOf(parts, caller, agent, task)) === "kept") {
    throw unsupported(
      "store",
      "store cannot be false here: this answers a question of a response that is stored, and is part of it. Leave store out, or delete the response afterwards.",
    );
  }
  return { removeAfterMs: parts.limits.unstoredTaskMs };
}

/** Whether a task is kept, goes by itself some time after its end, or was deleted by its caller and is about to go. */
export async function storingOf({ store }: BridgeParts, { principal }: Caller, agent: Agent, task: string): Promise<"kept" | "unstored" | "deleted"> {
  return readMark(await store.records.get(removalMark(streamKey(principal, agent.id, task))));
}

/** Deletes the task of a response, which it cancels first if it still runs. It does not exist for this API from now on; its entries go within seconds. */
export async function deleteTask(parts: BridgeParts, caller: Caller, { agent, task }: TaskTurn): Promise<void> {
  const key = streamKey(caller.principal, agent.id, task);
  const { records, index } = parts.store;
  const row = await index.get(key);
  if (row !== undefined && !isTerminal(row.state)) {
    try {
      await parts.api.cancel(caller, { task, agent: agent.id });
    } catch (error) {
      // It has ended meanwhile.
      if (IasError.from(error).code !== "task-not-cancelable") throw error;
    }
  }
  for (const record of removalRecords({ key, afterMs: 0 }, parts.now())) await records.put(record);
}
