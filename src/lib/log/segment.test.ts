import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Audience, Entry } from "../model/entry.ts";
import { encodeEvent } from "../model/entry.ts";
import { createBlockWriter, parseBlock } from "./block.ts";
import { decodeSegment, encodeSegments, MAX_SEGMENT_LENGTH } from "./segment.ts";

const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom('"', "\\", '"}]},"append":true}}', "\n", "\u2028", "🙂", "\ud83d", ""));

const event = fc.oneof(
  { weight: 6, arbitrary: fc.tuple(text, fc.constantFrom("a1", "a2")).map(([value, artifactId]) => update(artifactId, [{ text: value }])) },
  {
    weight: 1,
    arbitrary: fc.array(text, { maxLength: 3 }).map((texts) =>
      update(
        "a1",
        texts.map((value) => ({ text: value })),
      ),
    ),
  },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.constant(encodeEvent({ statusUpdate: { taskId: "t", contextId: "c", status: { state: "TASK_STATE_WORKING" } } })) },
  { weight: 1, arbitrary: fc.constantFrom('{"parts":[{"text":"', '{"parts":[{"text":"\\"', '{"parts":[{"text":"x\\\\"', "") },
);

const entries = fc
  .array(
    fc.record({
      gen: fc.integer({ min: 0, max: 2 ** 40 }),
      at: fc.integer({ min: 0, max: 2 ** 44 }),
      attempt: fc.integer({ min: 1, max: 3 }),
      audience: fc.constantFrom<Audience>("public", "extension", "internal"),
      event,
    }),
    { minLength: 1, maxLength: 60 },
  )
  .chain((list) => fc.integer({ min: 1, max: 1e9 }).map((first): Entry[] => list.map((entry, place) => ({ seq: first + place, ...entry }))));

void test("segments decode to exactly the entries that went in, whatever they are and wherever they are cut", () => {
  fc.assert(
    fc.property(entries, fc.integer({ min: 1, max: 5000 }), (list, maxLength) => {
      const segments = encodeSegments(list, maxLength);
      assert.deepEqual(
        segments.flatMap((segment) => decodeSegment(segment.seq, segment.body)),
        list,
      );
      assert.equal(segments.at(-1)?.seq, list.at(-1)?.seq);
    }),
    { numRuns: 500 },
  );
});

void test("segments are at most 64 KiB, one longer entry aside, and of about equal size", () => {
  const tokens = Array.from({ length: 20_000 }, (_, i) => token(i + 1, `token ${i} `));
  const segments = encodeSegments(tokens);
  for (const { body } of segments) assert.ok(body.length <= MAX_SEGMENT_LENGTH && body.length > MAX_SEGMENT_LENGTH / 3, `${body.length}`);
  const long = encodeSegments([token(1, "a"), token(2, "x".repeat(100_000)), token(3, "b")]);
  assert.deepEqual(
    long.map((segment) => segment.seq),
    [1, 2, 3],
  );
});

void test("a token takes about its text and a few bytes: the rest is kept once", () => {
  const tokens = Array.from({ length: 1000 }, (_, i) => token(i + 1, " word"));
  const [segment] = encodeSegments(tokens);
  const raw = tokens.reduce((sum, entry) => sum + entry.event.length, 0);
  assert.ok(segment !== undefined && segment.body.length * 8 < raw, `${segment?.body.length} of ${raw}`);
});

void test("two artifacts and liveness between them still share a segment", () => {
  const mixed = Array.from({ length: 900 }, (_, i): Entry => {
    if (i % 3 === 2)
      return {
        ...token(i + 1, ""),
        audience: "extension",
        event: encodeEvent({ statusUpdate: { taskId: "t", contextId: "c", status: { state: "TASK_STATE_WORKING" } } }),
      };
    return { ...token(i + 1, `w${i}`), event: update(`a${i % 3}`, [{ text: `w${i}` }]) };
  });
  assert.equal(encodeSegments(mixed).length, 1);
});

void test("blocks parse to exactly the runs that went in", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(fc.nat(), fc.nat(), entries, fc.nat(59)), { minLength: 1, maxLength: 5 }), (runs) => {
      const writer = createBlockWriter(() => 1_767_225_600_000);
      assert.equal(writer.empty, true);
      const expected = runs.map(([stream, position, list, skip]) => {
        const from = Math.min(skip, list.length - 1);
        writer.add(stream, position, list, from);
        return { stream, position, time: 1_767_225_600_000, entries: list.slice(from) };
      });
      assert.deepEqual(parseBlock(writer.take()), expected);
      assert.equal(writer.empty, true);
    }),
  );
});

function update(artifactId: string, parts: readonly { readonly text: string }[]): string {
  return encodeEvent({ artifactUpdate: { taskId: "t", contextId: "c", artifact: { artifactId, parts }, append: true } });
}

function token(seq: number, value: string): Entry {
  return { seq, gen: seq, at: 1_767_225_600_000 + seq * 20, attempt: 1, audience: "public", event: update("a1", [{ text: value }]) };
}
