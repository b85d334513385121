import assert from "node:assert/strict";
import type { AgentEvent, Engine, Turn } from "../engine/engine.ts";
import { collect, idle, nextText, notHung, pieces, textsOf, type EngineCase } from "./engine-support.ts";
import { testTurn } from "./test-turn.ts";

const { signal } = new AbortController();

/** Aborts, failures, and that no turn leaves anything behind. */
export const endCases: readonly EngineCase[] = [
  {
    title: "abort: a source that hangs is given up at once, and told by its signal",
    async run(harness) {
      const abort = new AbortController();
      const told = Promise.withResolvers<void>();
      const engine = harness.stream(async function* (turn) {
        yield "a";
        await untilAborted(turn.signal);
        told.resolve();
      });
      const iterator = engine.run(testTurn("go"), { signal: abort.signal })[Symbol.asyncIterator]();
      assert.equal(await nextText(iterator), "a");
      const pending = restOf(iterator);
      await idle();
      abort.abort();
      assert.deepEqual(textsOf(await notHung("the turn after an abort", pending)), []);
      await notHung("the source after an abort", told.promise);
    },
  },
  {
    title: "abort: a source that ignores its signal does not hold the turn",
    async run(harness) {
      const abort = new AbortController();
      const engine = harness.stream(async function* () {
        yield "a";
        await new Promise(() => {});
      });
      const iterator = engine.run(testTurn("go"), { signal: abort.signal })[Symbol.asyncIterator]();
      assert.equal(await nextText(iterator), "a");
      const pending = restOf(iterator);
      await idle();
      abort.abort();
      assert.deepEqual(textsOf(await notHung("the turn after an abort", pending)), []);
    },
  },
  {
    title: "abort: between two events nothing more comes",
    async run(harness) {
      const abort = new AbortController();
      const engine = harness.stream(pieces(["a", "b", "c"]));
      const iterator = engine.run(testTurn("go"), { signal: abort.signal })[Symbol.asyncIterator]();
      assert.equal(await nextText(iterator), "a");
      abort.abort();
      assert.deepEqual(textsOf(await notHung("the turn after an abort", restOf(iterator))), []);
    },
  },
  {
    title: "abort: a turn that is aborted before it starts does nothing",
    async run(harness) {
      let started = false;
      const engine = harness.stream(async function* () {
        started = true;
        yield "a";
      });
      const events = await notHung(
        "a turn that was aborted before",
        restOf(engine.run(testTurn("go"), { signal: AbortSignal.abort() })[Symbol.asyncIterator]()),
      );
      await idle();
      assert.deepEqual([textsOf(events), started], [[], false]);
    },
  },
  {
    title: "leaving: a consumer that stops early ends the source",
    async run(harness) {
      const told = Promise.withResolvers<void>();
      const engine = harness.stream(async function* (turn) {
        turn.signal.addEventListener("abort", () => told.resolve());
        let drained = false;
        try {
          for (let n = 0; n < 2000; n += 1) yield `${n} `;
          drained = true;
        } finally {
          if (!drained) told.resolve();
        }
      });
      for await (const event of engine.run(testTurn("go"), { signal })) if (event.kind === "text") break;
      await notHung("the source after its consumer left", told.promise);
    },
  },
  {
    title: "failure: what came before an error is delivered, then the turn throws",
    async run(harness) {
      const engine = harness.stream(async function* () {
        yield "a";
        yield "b";
        throw new Error("the source broke");
      });
      const got: AgentEvent[] = [];
      await assert.rejects(async () => {
        for await (const event of engine.run(testTurn("go"), { signal })) got.push(event);
      });
      assert.deepEqual(textsOf(got), ["a", "b"]);
    },
  },
  {
    title: "turns: two at once do not mix",
    async run(harness) {
      const engine = harness.stream(async function* ({ input }) {
        const name = /turn-[ab]/.exec(input)?.[0] ?? "?";
        for (let n = 0; n < 30; n += 1) {
          await idle(1);
          yield `${name}.${n} `;
        }
      });
      const [a, b] = await Promise.all(["turn-a", "turn-b"].map((name) => texts(engine, testTurn(name, { task: name }))));
      assert.deepEqual([a, b], [expected("turn-a"), expected("turn-b")]);
    },
  },
  {
    title: "turns: a slow consumer of one turn does not hold another",
    async run(harness) {
      const engine = harness.stream(pieces(["a", "b", "c"]));
      const slow = engine.run(testTurn("slow"), { signal })[Symbol.asyncIterator]();
      assert.equal(await nextText(slow), "a");
      assert.deepEqual(await notHung("the other turn", texts(engine, testTurn("fast"))), ["a", "b", "c"]);
      assert.deepEqual([await nextText(slow), await nextText(slow), await nextText(slow)], ["b", "c", undefined]);
    },
  },
  {
    title: "turns: an attempt that was cut off leaves nothing: the next one starts from the beginning",
    async run(harness) {
      const abort = new AbortController();
      const engine = harness.stream(pieces(["a", "b", "c"]));
      const iterator = engine.run(testTurn("go"), { signal: abort.signal })[Symbol.asyncIterator]();
      assert.equal(await nextText(iterator), "a");
      abort.abort();
      await restOf(iterator);
      assert.deepEqual(await texts(engine, testTurn("go", { attempt: 2, epoch: 2 })), ["a", "b", "c"]);
    },
  },
];

/** Turns that end with a question. */
export const askCases: readonly EngineCase[] = [
  {
    title: "interrupt: it is the last event of the turn",
    needs: "ask",
    async run({ ask }) {
      const events = await collect((ask?.create(pieces(["never"])) ?? unreachable()).run(testTurn("go"), { signal }));
      assert.deepEqual(events.filter(({ kind }) => kind === "interrupt").length, 1);
      assert.equal(events.at(-1)?.kind, "interrupt");
      assert.deepEqual(textsOf(events), []);
    },
  },
  {
    title: "interrupt: a new engine goes on from nothing but the state, after a journey as JSON",
    needs: "ask",
    async run({ ask }) {
      const { answer, create } = ask ?? unreachable();
      const last = (await collect(create(pieces(["never"])).run(testTurn("go"), { signal }))).at(-1);
      assert.ok(last?.kind === "interrupt" && last.state !== undefined);
      const state = JSON.parse(JSON.stringify(last.state)) as NonNullable<Turn["state"]>;
      assert.deepEqual(await texts(create(pieces(["went ", "on"])), testTurn(answer, { state })), ["went ", "on"]);
    },
  },
];

async function texts(engine: Engine, turn: Turn): Promise<readonly string[]> {
  return textsOf(await collect(engine.run(turn, { signal })));
}

function expected(name: string): readonly string[] {
  return Array.from({ length: 30 }, (_, n) => `${name}.${n} `);
}

/** What an aborted turn still gives: it may return or throw. */
async function restOf(iterator: AsyncIterator<AgentEvent>): Promise<readonly AgentEvent[]> {
  const events: AgentEvent[] = [];
  try {
    for (;;) {
      const { done, value } = await iterator.next();
      if (done === true) return events;
      events.push(value);
    }
  } catch {
    return events;
  }
}

async function untilAborted(signal: AbortSignal): Promise<void> {
  if (signal.aborted) return;
  await new Promise((resolve) => signal.addEventListener("abort", resolve, { once: true }));
}

function unreachable(): never {
  throw new Error("This case needs a harness with `ask`.");
}
