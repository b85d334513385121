import type { AgentEvent } from "../../src/lib/engine/engine.ts";

/** An agent that says a token only when it is told to. */
export function stepped(): { readonly run: (signal: AbortSignal) => AsyncGenerator<AgentEvent>; say(text: string): void; end(): void } {
  const waiting: { text: string | undefined }[] = [];
  let wake = Promise.withResolvers<void>();
  const push = (text: string | undefined): void => {
    waiting.push({ text });
    wake.resolve();
  };
  return {
    async *run(signal) {
      const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      while (!signal.aborted) {
        const next = waiting.shift();
        if (next === undefined) {
          await Promise.race([wake.promise, aborted]);
          wake = Promise.withResolvers();
        } else if (next.text === undefined) return;
        else yield { kind: "text", text: next.text };
      }
    },
    say: push,
    end: () => push(undefined),
  };
}
