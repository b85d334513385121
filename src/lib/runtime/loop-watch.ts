import { monitorEventLoopDelay } from "node:perf_hooks";
import { IasError } from "../model/errors.ts";

/** Longest stall of the event loop that is not worth a word, ms; how often it is looked at, ms. */
const STALL_MS = 500;
const LOOK_MS = 5000;

/**
 * Reports when something blocked the event loop (SEMANTICS 18): then no token of any agent moved. One report a look, at most.
 * `isolated` runs an agent's turns where they block nobody.
 */
export function watchEventLoop(report: (error: IasError) => void, lookMs = LOOK_MS): Disposable {
  const delay = monitorEventLoopDelay({ resolution: 20 });
  delay.enable();
  const look = (): void => {
    const worst = Math.round(delay.max / 1e6);
    delay.reset();
    if (worst <= STALL_MS) return;
    const said = `The event loop was blocked for ${worst} ms, in which nothing streamed. If an agent computed without a pause, run it with isolated(); the machine may also be short of processor time or memory.`;
    report(new IasError("timeout", said, { reason: "EVENT_LOOP_BLOCKED" }));
  };
  // At the end of a stall this timer and the measuring one are both due, and a reset between them would lose the stall: look after both.
  const timer = setInterval(() => setImmediate(look), lookMs).unref();
  return {
    [Symbol.dispose]() {
      clearInterval(timer);
      delay.disable();
    },
  };
}
