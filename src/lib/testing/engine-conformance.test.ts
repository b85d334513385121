import assert from "node:assert/strict";
import { test } from "node:test";
import type { AgentEvent, Engine } from "../engine/engine.ts";
import { scripted, textOf } from "../engine/scripted.ts";
import { engineCases } from "./engine-conformance.ts";
import { collect, type ChunkSource, type EngineHarness } from "./engine-support.ts";

// Engines that each break one rule, and a case that must notice. The suite proves nothing if these pass.

const correct = (source: ChunkSource): Engine =>
  scripted(async function* (turn, { signal }) {
    for await (const text of source({ input: textOf(turn.input), signal })) yield { kind: "text", text };
  });

const wrong: readonly (readonly [string, (source: ChunkSource) => Engine, RegExp])[] = [
  ["reorders", (source) => mapped(source, (events) => events.toReversed()), /same strings in the same order/],
  [
    "merges two chunks",
    (source) => mapped(source, (events) => [{ kind: "text", text: events.map((one) => (one.kind === "text" ? one.text : "")).join("") }]),
    /same strings/,
  ],
  ["reads one chunk ahead", ahead, /holds the source/],
  ["starts before it is asked", eager, /nothing starts before/],
  ["swallows errors", swallowing, /then the turn throws/],
  ["goes on after an abort", deaf, /between two events nothing more comes/],
  ["keeps a turn's text for the next", remembering, /starts from the beginning/],
];

for (const [what, create, title] of wrong) {
  test(`the suite notices an engine that ${what}`, async () => {
    const harness: EngineHarness = { stream: create };
    const noticing = engineCases.find((one) => title.test(one.title));
    assert.ok(noticing, `no case is called ${title}`);
    await noticing.run({ stream: correct });
    await assert.rejects(noticing.run(harness));
  });
}

function mapped(source: ChunkSource, change: (events: readonly AgentEvent[]) => readonly AgentEvent[]): Engine {
  return {
    async *run(turn, options) {
      yield* change(await collect(correct(source).run(turn, options)));
    },
  };
}

function ahead(source: ChunkSource): Engine {
  return {
    async *run(turn, options) {
      const iterator = correct(source).run(turn, options)[Symbol.asyncIterator]();
      for (let next = iterator.next(); ;) {
        const { done, value } = await next;
        if (done === true) return;
        next = iterator.next();
        yield value;
      }
    },
  };
}

function eager(source: ChunkSource): Engine {
  return {
    run(turn, options) {
      const iterator = correct(source).run(turn, options)[Symbol.asyncIterator]();
      const first = iterator.next();
      return (async function* () {
        for (let result = await first; result.done !== true; result = await iterator.next()) yield result.value;
      })();
    },
  };
}

function swallowing(source: ChunkSource): Engine {
  return {
    async *run(turn, options) {
      try {
        yield* correct(source).run(turn, options);
      } catch {
        // as if nothing had been
      }
    },
  };
}

function deaf(source: ChunkSource): Engine {
  return { run: (turn) => correct(source).run(turn, { signal: new AbortController().signal }) };
}

function remembering(source: ChunkSource): Engine {
  const said: AgentEvent[] = [];
  return {
    async *run(turn, options) {
      yield* said.slice();
      for await (const event of correct(source).run(turn, options)) {
        said.push(event);
        yield event;
      }
    },
  };
}
