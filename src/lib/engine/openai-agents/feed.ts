import { IasError } from "../../model/errors.ts";
import type { AgentEvent } from "../engine.ts";
import { createRepair } from "../repair.ts";

/**
 * Where the SDK's pushes become the engine's pull. It holds a handful of events, because whoever makes them (the gated models,
 * `gate.ts`) first waits in `hungry` until the consumer has taken everything and asks for more. A model that cannot be gated may run ahead by
 * `maxEventsAhead`; then the turn fails with reason ENGINE_AHEAD.
 */
export interface Feed {
  push(event: AgentEvent): void;
  /** No more events; the consumer gets what is left, then the end or `error`. */
  end(error?: Error): void;
  /** Resolves when the consumer waits for an event and there is none; rejects with an `AbortError` once the feed was closed. */
  hungry(): Promise<void>;
  /** Every event once, in order. One consumer. */
  events(): AsyncGenerator<AgentEvent, void, undefined>;
}

/** @param signal closes the feed: events that were not taken are dropped, and `hungry` rejects. */
export function createFeed(signal: AbortSignal, { maxEventsAhead }: { readonly maxEventsAhead: number }): Feed {
  const queue: AgentEvent[] = [];
  const repair = createRepair();
  const makers: (() => void)[] = [];
  let ended = false;
  let failure: Error | undefined;
  let waiting: (() => void) | undefined;

  const wakeConsumer = (): void => {
    const wake = waiting;
    waiting = undefined;
    wake?.();
  };
  const wakeMakers = (): void => {
    for (const wake of makers.splice(0)) wake();
  };
  const close = (): void => {
    wakeConsumer();
    wakeMakers();
  };
  const busy = (): boolean => !signal.aborted && !ended && (waiting === undefined || queue.length > 0);
  signal.addEventListener("abort", close, { once: true });

  const end = (error?: Error): void => {
    if (ended) return;
    ended = true;
    failure = error;
    signal.removeEventListener("abort", close);
    close();
  };

  return {
    push(event) {
      if (ended || signal.aborted) return;
      queue.push(repair(event));
      if (queue.length <= maxEventsAhead) return wakeConsumer();
      const text = `The agent is ${maxEventsAhead} events ahead of its reader (maxEventsAhead): a child agent with a model object of its own must be named in \`children\`.`;
      end(new IasError("limit-reached", text, { reason: "ENGINE_AHEAD" }));
    },
    end,
    async hungry() {
      // What the model has just yielded reaches `push` in microtasks only, through the SDK's own streams: after one turn of the event loop it is here.
      await new Promise<void>((resolve) => setImmediate(resolve));
      while (busy()) {
        await new Promise<void>((resolve) => makers.push(resolve));
      }
      if (signal.aborted || ended) throw new DOMException("The turn has ended.", "AbortError");
    },
    async *events() {
      for (;;) {
        if (signal.aborted) return;
        const event = queue.shift();
        if (event !== undefined) {
          yield event;
          continue;
        }
        if (ended) {
          if (failure !== undefined) throw failure;
          return;
        }
        await new Promise<void>((resolve) => {
          waiting = resolve;
          wakeMakers();
        });
      }
    },
  };
}
