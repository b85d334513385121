import { parentPort, workerData } from "node:worker_threads";
import type { Message, Part, Task } from "../../model/a2a.ts";
import { IasError } from "../../model/errors.ts";
import type { AgentEvent, Engine, Turn } from "../engine.ts";
import { toEvent } from "../to-event.ts";
import type { FromThread, ThreadData, ToThread, TurnCall } from "./messages.ts";

/** The inside of `isolated`: one turn of one engine. */
const { module, name, turn: plain } = workerData as ThreadData;
const abort = new AbortController();
const waiting = new Map<number, { resolve: (value: unknown) => void; reject: (error: Error) => void }>();
let ids = 0;
let given = 0;

const post = (message: FromThread): void => parentPort?.postMessage(message);

/** Without the `id`, which is given here. */
function ask<T>(call: { method: "history" | "references" } | { method: "load"; part: Part }): Promise<T> {
  ids += 1;
  const message: TurnCall = { kind: "call", id: ids, ...call };
  return new Promise<T>((resolve, reject) => {
    waiting.set(message.id, { resolve: (value) => resolve(value as T), reject });
    post(message);
  });
}

const turn: Turn = {
  ...plain,
  history: () => ask<readonly Message[]>({ method: "history" }),
  references: () => ask<readonly Task[]>({ method: "references" }),
  load: (part) => ask<Uint8Array>({ method: "load", part }),
};

const events: Promise<AsyncIterator<AgentEvent>> = (async () => {
  const exported = ((await import(module)) as Record<string, unknown>)[name];
  const engine = (typeof exported === "function" ? await (exported as () => unknown)() : exported) as Engine | undefined;
  if (typeof engine?.run !== "function") throw new IasError("configuration", `${module} has no export ${name} with an engine.`);
  return engine.run(turn, { signal: abort.signal })[Symbol.asyncIterator]();
})();
// It is awaited at the first `next`; a failure before that is told there.
events.catch(() => {});

async function next(): Promise<void> {
  try {
    const result = await (await events).next();
    if (result.done === true) return post({ kind: "end" });
    given += 1;
    // Here and not only where it is written: what is wrong may be what no thread can be sent, such as a function.
    post({ kind: "event", event: toEvent(result.value, given) });
  } catch (error) {
    const { code, message, reason, retryable, retryAfterMs, details } = IasError.from(error, "engine-failed");
    const facts = { retryable, details, ...(reason !== undefined && { reason }), ...(retryAfterMs !== undefined && { retryAfterMs }) };
    post({ kind: "error", code, message, facts });
  }
}

parentPort?.on("message", (message: ToThread) => {
  if (message.kind === "next") void next();
  else if (message.kind === "abort")
    abort.abort(new IasError("aborted", "The turn was stopped.", message.reason === undefined ? {} : { reason: message.reason }));
  else {
    const call = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.kind === "answer") call?.resolve(message.value);
    else call?.reject(new IasError(message.code, message.message, { retryable: message.retryable }));
  }
});
