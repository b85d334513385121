import assert from "node:assert/strict";
import { test } from "node:test";
import { type LivenessFacts, toMetadata } from "../model/extension.ts";
import type { Io } from "./command.ts";
import { createPrinter } from "./printer.ts";

/** What a printer writes to stderr of liveness entries. */
function printed(...all: readonly LivenessFacts[]): string {
  let err = "";
  const io = { out: () => {}, err: (text: string) => (err += text), json: false } as unknown as Io;
  const printer = createPrinter(io);
  for (const facts of all) {
    const metadata = toMetadata({ kind: "liveness", ...facts });
    printer.show({ event: { statusUpdate: { taskId: "t", contextId: "c", status: { state: "TASK_STATE_WORKING" }, metadata } } });
  }
  return err;
}

test("slow, stalled and recovered turns are told in a line each, other phases are not", () => {
  const stall = { activity: "generating", threshold: "gapMs", limitMs: 30_000, silenceMs: 30_120, bytesSilenceMs: 1, lastSeq: 9, contents: 4, tokens: 7 };
  assert.equal(
    printed(
      { phase: "generating", afterMs: 4000, tokens: 1 },
      { phase: "slow", by: "silence", activity: "prefill", silenceMs: 5040 },
      { phase: "slow", by: "rate", activity: "generating", silenceMs: 0, tokensPerSecond: 1.5 },
      { phase: "stalled", stall },
      { phase: "recovered", from: "stalled", activity: "generating" },
      { phase: "retry-wait", forMs: 20_000 },
    ),
    [
      "  slow: nothing for 5.0 s (prefill)",
      "  slow: 1.5 tokens/s",
      "  stalled: nothing for 30 s (generating), after 7 tokens",
      "  stalled no more",
      "  waits for the model server's rate limit, 20 s",
      "",
    ].join("\n"),
  );
});

test("a liveness entry of an agent that leaves everything out, or writes to the terminal, does no harm", () => {
  assert.match(printed({ phase: "stalled" } as unknown as LivenessFacts), /^ {2}stalled: nothing for 0\.0 s/);
  assert.ok(!printed({ phase: "recovered", from: "\u001b[2J" as "slow", activity: "" }).includes("\u001b"));
});
