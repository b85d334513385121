import { Worker } from "node:worker_threads";
import { IasError, messageOf } from "../model/errors.ts";
import type { AgentEvent, Engine, Turn } from "./engine.ts";
import { type FromThread, toPlainTurn, type ToThread, type TurnCall } from "./isolated/messages.ts";
import { untilAborted } from "./until-aborted.ts";

/** What is run in the thread, and how long and how large it may be. */
export interface IsolatedOptions {
  /** Name of the module's export that is the engine, or a function that makes it. Default `engine`. */
  readonly export?: string;
  /** After an abort the turn has so long to end by itself, ms; then its thread is ended. Default 1,000. */
  readonly graceMs?: number;
  /** Largest heap of the thread, MiB; beyond it the turn fails with reason ISOLATE_FAILED. Default: Node's. */
  readonly maxHeapMb?: number;
}

/**
 * Runs each turn of a module's engine in a thread of its own (SEMANTICS 18): a turn that blocks its event loop, leaks or ends its thread harms no other, and
 * a cancel ends it for certain. Costs some ten ms a turn, and a copy of each event. Events are still pulled one at a time.
 *
 * It is per module, not per engine: `module` is a file URL, `isolated(new URL("./agent.ts", import.meta.url))`, and the thread loads it anew for each turn, so that nothing
 * in its variables outlives a turn or is shared. The turn fails with `engine-failed` if the module cannot be loaded, with `configuration` if it has no such export.
 * `docs/guides/isolation.md` says more.
 */
export function isolated(module: URL, options: IsolatedOptions = {}): Engine {
  return { run: (turn, { signal }) => untilAborted(runInThread(module, options, turn, signal), signal) };
}

async function* runInThread(module: URL, options: IsolatedOptions, turn: Turn, signal: AbortSignal): AsyncGenerator<AgentEvent, void, undefined> {
  // TypeScript does not rewrite this path: from source it is a .ts file, from dist a .js file.
  const file = import.meta.url.endsWith(".ts") ? "./isolated/thread.ts" : "./isolated/thread.js";
  const thread = new Worker(new URL(file, import.meta.url), {
    workerData: { module: module.href, name: options.export ?? "engine", turn: toPlainTurn(turn) },
    ...(options.maxHeapMb !== undefined && { resourceLimits: { maxOldGenerationSizeMb: options.maxHeapMb } }),
  });
  const send = (message: ToThread): void => thread.postMessage(message);
  let wake: ((message: FromThread) => void) | undefined;
  let failure: IasError | undefined;
  const fail = (error: IasError): void => {
    failure ??= error;
    wake?.({ kind: "end" });
  };
  thread.on("message", (message: FromThread) => {
    if (message.kind === "call") void answer(turn, message).then(send);
    else wake?.(message);
  });
  thread.once("error", (error) =>
    fail(
      new IasError("engine-failed", `The agent's thread failed: ${messageOf(error)}`, {
        cause: error,
        reason: "ISOLATE_FAILED",
      }),
    ),
  );
  thread.once("exit", () => fail(new IasError("engine-failed", "The agent's thread ended in the middle of the turn.", { reason: "ISOLATE_FAILED" })));
  let killer: NodeJS.Timeout | undefined;
  const onAbort = (): void => {
    const { reason } = IasError.from(signal.reason, "aborted");
    send({ kind: "abort", ...(reason !== undefined && { reason }) });
    killer = setTimeout(() => void thread.terminate(), options.graceMs ?? 1000);
  };
  if (signal.aborted) onAbort();
  else signal.addEventListener("abort", onAbort, { once: true });
  try {
    for (;;) {
      const message = await new Promise<FromThread>((resolve) => {
        wake = resolve;
        if (failure === undefined) send({ kind: "next" });
        else resolve({ kind: "end" });
      });
      if (message.kind === "event") yield message.event;
      else if (message.kind === "error") throw new IasError(message.code, message.message, message.facts);
      else if (failure !== undefined && !signal.aborted) throw failure;
      else return;
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    // Nothing that the turn left behind goes on without it. An aborted turn keeps its grace.
    if (!signal.aborted) {
      clearTimeout(killer);
      await thread.terminate();
    }
  }
}

/** What a thread may ask of its turn: answered here, where the store is. */
async function answer(turn: Turn, call: TurnCall): Promise<ToThread> {
  try {
    const value = call.method === "load" ? await turn.load(call.part) : call.method === "history" ? await turn.history() : await turn.references();
    return { kind: "answer", id: call.id, value };
  } catch (error) {
    const { code, message, retryable } = IasError.from(error);
    return { kind: "refusal", id: call.id, code, message, retryable };
  }
}
