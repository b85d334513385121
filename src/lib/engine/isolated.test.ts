import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IasError } from "../model/errors.ts";
import { collect, notHung } from "../testing/engine-support.ts";
import { testTurn } from "../testing/test-turn.ts";
import { isolated } from "./isolated.ts";

const module = new URL("../../../test/support/isolated-agent.ts", import.meta.url);
const { signal } = new AbortController();

describe("isolated", () => {
  it("gives a module's events in order, one asked for at a time, and reaches the turn's store", async () => {
    const events = await collect(isolated(module).run(testTurn("echo"), { signal }));
    assert.deepEqual(
      events.map((event) => (event.kind === "text" ? event.text : event.kind)),
      ["echo", "history 0", "asked 2 before", "usage"],
    );
  });

  it("tells the engine's errors by their codes", async () => {
    await assert.rejects(collect(isolated(module).run(testTurn("fail"), { signal })), (error: unknown) => {
      assert.ok(error instanceof IasError && error.code === "unavailable" && error.retryable);
      assert.deepEqual([error.retryAfterMs, error.details], [1500, { model: "m" }]);
      return true;
    });
    await assert.rejects(collect(isolated(module, { export: "nothing" }).run(testTurn("x"), { signal })), { code: "configuration" });
    await assert.rejects(collect(isolated(new URL("./no-such-file.ts", import.meta.url)).run(testTurn("x"), { signal })), { code: "engine-failed" });
  });

  it("ends a turn that blocks its own event loop, while ours goes on", async () => {
    const abort = new AbortController();
    const texts: string[] = [];
    let ticks = 0;
    const timer = setInterval(() => (ticks += 1), 1);
    const run = (async () => {
      for await (const event of isolated(module, { graceMs: 20 }).run(testTurn("block"), { signal: abort.signal })) {
        if (event.kind === "text") texts.push(event.text);
        setTimeout(() => abort.abort(), 20);
      }
    })();
    await notHung("the blocked turn", run);
    clearInterval(timer);
    assert.deepEqual(texts, ["before"]);
    assert.ok(ticks > 0);
  });

  it("tells the engine why it is stopped: what a turn that goes on elsewhere has begun must be left as it is", async () => {
    const abort = new AbortController();
    const told = Promise.withResolvers<string | undefined>();
    const turn = testTurn("tell why", {
      async load({ text }) {
        told.resolve(text);
        return new Uint8Array();
      },
    });
    // The thread has as long as a busy machine needs to hear it; it ends by itself when it has told.
    for await (const event of isolated(module, { graceMs: 60_000 }).run(turn, { signal: abort.signal }))
      if (event.kind === "text") abort.abort(new IasError("aborted", "The server stops.", { reason: "TURN_ABANDONED" }));
    assert.equal(await notHung("the reason", told.promise), "TURN_ABANDONED");
  });

  it("fails a turn whose thread ends or outgrows its heap, and nothing else", async () => {
    await assert.rejects(collect(isolated(module).run(testTurn("exit"), { signal })), { code: "engine-failed", reason: "ISOLATE_FAILED" });
    await assert.rejects(collect(isolated(module, { maxHeapMb: 32 }).run(testTurn("leak"), { signal })), { code: "engine-failed", reason: "ISOLATE_FAILED" });
  });
});
