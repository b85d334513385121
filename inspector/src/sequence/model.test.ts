import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamResponse } from "../../../src/lib/model/a2a.ts";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { type ExtensionData, toMetadata } from "../../../src/lib/model/extension.ts";
import { insetOf } from "./inset.ts";
import { createSequence, entriesOf } from "./model.ts";

const ids = { taskId: "t", contextId: "c" };
const status = { state: "TASK_STATE_WORKING" } as const;
const aside = (data: ExtensionData): StreamResponse => ({ statusUpdate: { ...ids, status, metadata: toMetadata(data) } });
const text = (words: string): StreamResponse => ({ artifactUpdate: { ...ids, artifact: { artifactId: "answer", parts: [{ text: words }] }, append: true } });
const entries = (events: readonly StreamResponse[]): StreamEntry[] =>
  events.map((event, index) => ({ seq: index + 1, gen: 0, at: index * 10, attempt: 1, audience: "public", event }));

const question: StreamResponse = {
  task: {
    id: "t",
    contextId: "c",
    status: { state: "TASK_STATE_SUBMITTED" },
    history: [{ messageId: "m", role: "ROLE_USER", parts: [{ text: "Tide pools?" }] }],
  },
};
const run = entries([
  question,
  aside({ kind: "reasoning", text: "I ", size: 2 }),
  aside({ kind: "reasoning", text: "need points.", size: 12 }),
  aside({ kind: "tool-call", call: "c1", name: "ask", idempotent: true }),
  aside({ kind: "tool-call", call: "c1", name: "ask", idempotent: true, arguments: '{"input":1}' }),
  aside({ kind: "delegation", from: "team", to: "researcher", via: "tool", path: ["researcher"] }),
  aside({ kind: "text", text: "First ", path: ["researcher"] }),
  aside({ kind: "usage", usage: { outputTokens: 2 } }),
  aside({ kind: "text", text: "second", path: ["researcher"] }),
  aside({ kind: "tool-result", call: "c1", name: "ask", failed: false, output: "First second" }),
  text("They "),
  text("are small."),
  { statusUpdate: { ...ids, status: { state: "TASK_STATE_COMPLETED" } } },
]);

test("who told whom what, in order; a thousand tokens are one arrow", () => {
  const sequence = createSequence("team");
  sequence.add(run);
  assert.deepEqual(
    sequence.arrows.map(({ kind, from, to, label, entries: count }) => `${kind} ${from}>${to} ${label} ×${count}`),
    [
      "message user:user>agent:team Tide pools? ×1",
      "thought agent:team>agent:team I need points. ×2",
      'call agent:team>tool:ask ask({"input":1}) ×2',
      "delegation agent:team>agent:researcher asks ×1",
      "answer agent:researcher>agent:team First second ×2",
      "result tool:ask>agent:team First second ×1",
      "answer agent:team>user:user They are small. ×2",
      "end agent:team>user:user completed ×1",
    ],
  );
  assert.deepEqual(
    sequence.participants.map(({ id }) => id),
    ["user:user", "agent:team", "tool:ask", "agent:researcher"],
  );
});

test("an arrow knows exactly its entries, also where others lie between", () => {
  const sequence = createSequence("team");
  sequence.add(run);
  const child = sequence.arrows[4];
  assert.deepEqual(child?.ranges, [
    { first: 7, last: 7 },
    { first: 9, last: 9 },
  ]);
  assert.deepEqual(child === undefined ? [] : entriesOf(run, child, 9).map(({ seq }) => seq), [7, 9]);
  assert.deepEqual(child === undefined ? [] : entriesOf(run.slice(7), child, 9).map(({ seq }) => seq), [9], "what is not kept any more is left out");
  assert.equal(child && entriesOf(run, child, 1).length, 1);
});

test("entries one by one and repeated make the same diagram", () => {
  const [whole, pieces] = [createSequence("team"), createSequence("team")];
  whole.add(run);
  for (const entry of run) {
    pieces.add([entry]);
    pieces.add([entry]);
  }
  assert.deepEqual(pieces.arrows, whole.arrows);
});

test("after a hand-off the other agent answers", () => {
  const sequence = createSequence("team");
  sequence.add(entries([question, aside({ kind: "delegation", from: "team", to: "numbers", via: "handoff" }), text("42")]));
  assert.deepEqual(
    sequence.arrows.slice(1).map(({ from, to }) => `${from}>${to}`),
    ["agent:team>agent:numbers", "agent:numbers>user:user"],
  );
});

test("failures, questions and what is not known are shown as such", () => {
  const sequence = createSequence("team");
  sequence.add(
    entries([
      question,
      aside({ kind: "tool-result", call: "c9", name: "dice", failed: true }),
      {
        statusUpdate: { ...ids, status: { state: "TASK_STATE_INPUT_REQUIRED", message: { messageId: "q", role: "ROLE_AGENT", parts: [{ text: "Which?" }] } } },
      },
      aside({ kind: "next-year" } as never),
      { statusUpdate: { ...ids, status: { state: "TASK_STATE_FAILED" } } },
    ]),
  );
  assert.deepEqual(
    sequence.arrows.slice(1).map(({ kind, label, isFailure }) => [kind, label, isFailure]),
    [
      ["result", "failed", true],
      ["asks", "Which?", false],
      ["note", "next-year", false],
      ["end", "failed", true],
    ],
  );
});

test("words stand where the arrow is on the screen", () => {
  const seen = { left: 100, right: 400 };
  assert.deepEqual(insetOf({ left: 150, right: 300 }, seen), { left: 10, right: 10 });
  assert.deepEqual(insetOf({ left: 0, right: 900 }, seen), { left: 110, right: 510 });
  assert.deepEqual(insetOf({ left: 0, right: 120 }, seen), { left: 10, right: 10 }, "of what is hardly seen they stay where they are");
});
