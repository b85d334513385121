import { IasError } from "../../src/lib/model/errors.ts";
import type { Engine } from "../../src/lib/engine/engine.ts";

/** An engine that behaves as its input says: for the tests of `isolated`. */
export const engine: Engine = {
  async *run(turn, { signal }) {
    const word = turn.input[0]?.parts[0]?.text;
    let asked = 0;
    if (word === "fail") throw new IasError("unavailable", "not now", { retryable: true, retryAfterMs: 1500, details: { model: "m" } });
    if (word === "exit") process.exit(0);
    if (word === "leak") for (const kept: unknown[] = []; ;) kept.push(Array.from({ length: 1000 }, () => ({})));
    if (word === "tell why") {
      const told = new Promise((resolve) => {
        signal.addEventListener("abort", () => resolve(turn.load({ text: (signal.reason as IasError).reason ?? "no reason" })));
      });
      yield { kind: "text", text: "waiting" };
      await told;
      return;
    }
    if (word === "block") {
      yield { kind: "text", text: "before" };
      for (;;);
    }
    asked += 1;
    yield { kind: "text", text: "echo" };
    asked += 1;
    yield { kind: "text", text: `history ${(await turn.history()).length}` };
    yield { kind: "text", text: `asked ${asked} before` };
    yield { kind: "usage", usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3 } };
  },
};

/** An engine that yields what no thread can be sent. */
export const wrong: Engine = {
  async *run() {
    yield { kind: "note", name: "n", value: (() => {}) as never };
  },
};
