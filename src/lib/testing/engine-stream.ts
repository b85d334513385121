import assert from "node:assert/strict";
import { collect, idle, nextText, notHung, pieces, textsOf, type EngineCase } from "./engine-support.ts";
import { testTurn } from "./test-turn.ts";

const { signal } = new AbortController();

/** One chunk in, one event out, in order, and only when asked. */
export const streamCases: readonly EngineCase[] = [
  {
    title: "stream: as many text events as there were chunks, the same strings in the same order",
    async run(harness) {
      const said = [..."The quick brown fox".split(/(?<= )/), "\n", " ", "日本", "🙂", '{"a":', "1}", ...Array.from({ length: 200 }, (_, n) => `t${n} `)];
      assert.deepEqual(textsOf(await collect(harness.stream(pieces(said)).run(testTurn("go"), { signal }))), said);
    },
  },
  {
    title: "stream: lock step, the source makes a piece only after the consumer has the one before (a collector deadlocks)",
    async run(harness) {
      let seen = Promise.withResolvers<void>();
      const engine = harness.stream(async function* () {
        for (let n = 0; n < 50; n += 1) {
          if (n > 0) await seen.promise;
          seen = Promise.withResolvers();
          yield `${n} `;
        }
      });
      const loop = async (): Promise<number> => {
        let count = 0;
        for await (const event of engine.run(testTurn("go"), { signal })) {
          if (event.kind !== "text") continue;
          count += 1;
          seen.resolve();
        }
        return count;
      };
      assert.equal(await notHung("the engine waits for more before it gives what it has", loop()), 50);
    },
  },
  {
    title: "stream: a consumer that does not ask holds the source: it is never asked for a piece ahead",
    async run(harness) {
      let asked = 0;
      const engine = harness.stream(async function* () {
        // Not endless, so that an engine which reads ahead fails here instead of never coming back.
        while (asked < 2000) {
          asked += 1;
          yield `${asked} `;
        }
      });
      const iterator = engine.run(testTurn("go"), { signal })[Symbol.asyncIterator]();
      for (let taken = 1; taken <= 20; taken += 1) {
        assert.equal(await nextText(iterator), `${taken} `);
        await idle();
        assert.equal(asked, taken, "the source was asked for a piece that nobody wants yet");
      }
      await iterator.return?.();
    },
  },
  {
    title: "stream: nothing starts before the first event is asked for",
    async run(harness) {
      let started = false;
      const engine = harness.stream(async function* () {
        started = true;
        yield "a";
      });
      const events = engine.run(testTurn("go"), { signal });
      await idle();
      assert.equal(started, false);
      assert.deepEqual(textsOf(await collect(events)), ["a"]);
    },
  },
  {
    title: "stream: an answer without pieces ends without text",
    async run(harness) {
      const events = await notHung("an empty answer", collect(harness.stream(pieces([])).run(testTurn("go"), { signal })));
      assert.deepEqual(textsOf(events), []);
    },
  },
  {
    title: "stream: what the user said reaches the source",
    async run(harness) {
      const engine = harness.stream(async function* ({ input }) {
        yield /word-\d+/.exec(input)?.[0] ?? "nothing";
      });
      assert.deepEqual(textsOf(await collect(engine.run(testTurn("please say word-7"), { signal }))), ["word-7"]);
    },
  },
];
