import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import type { Audience, Entry } from "../model/entry.ts";
import { createRecent } from "./recent.ts";

const text = fc.oneof(fc.string({ unit: "binary" }), fc.constantFrom("", '"', "\\", "🙂", "\ud83d", "ü", "漢"));
const event = fc.oneof(
  { weight: 5, arbitrary: text.map((value) => `{"artifactUpdate":{"artifact":{"parts":[{"text":${JSON.stringify(value)}}]},"append":true}}`) },
  { weight: 1, arbitrary: text },
  { weight: 1, arbitrary: fc.string({ maxLength: 8 }).map((id) => `{"id":${JSON.stringify(id)},"parts":[{"text":"x"}]}`) },
);
const fresh = fc.record({
  gen: fc.integer({ min: 0, max: 2 ** 40 }),
  at: fc.integer({ min: 0, max: 2 ** 44 }),
  attempt: fc.integer({ min: 1, max: 3 }),
  audience: fc.constantFrom<Audience>("public", "extension", "internal"),
  event,
});
const step = fc.oneof(
  { weight: 6, arbitrary: fc.array(fresh, { minLength: 1, maxLength: 90 }).map((entries) => ({ kind: "push" as const, entries })) },
  { weight: 2, arbitrary: fc.nat(100).map((share) => ({ kind: "release" as const, share })) },
  { weight: 1, arbitrary: fc.nat(100).map((share) => ({ kind: "drop-through" as const, share })) },
  { weight: 1, arbitrary: fc.nat(100).map((share) => ({ kind: "drop-after" as const, share })) },
  {
    weight: 4,
    arbitrary: fc.tuple(fc.nat(100), fc.nat(100), fc.nat(400)).map(([share, head, maxBytes]) => ({ kind: "page" as const, share, head, maxBytes })),
  },
);

void test("recent entries are exactly those that went in, whatever was released, dropped or taken back between", () => {
  fc.assert(
    fc.property(fc.integer({ min: 1, max: 1e9 }), fc.array(step, { maxLength: 30 }), (first, steps) => {
      const recent = createRecent();
      let model: Entry[] = [];
      let next = first;
      for (const one of steps) {
        const at = (share: number): number => next - 1 - Math.floor((model.length * share) / 100);
        if (one.kind === "push") {
          for (const entry of one.entries) {
            model.push({ seq: next, ...entry });
            recent.push({ seq: next, ...entry });
            next += 1;
          }
        } else if (one.kind === "release") recent.release(at(one.share));
        else if (one.kind === "drop-through") {
          const seq = at(one.share);
          model = model.filter((entry) => entry.seq > seq);
          recent.dropThrough(seq);
        } else if (one.kind === "drop-after") {
          next = at(one.share) + 1;
          model = model.filter((entry) => entry.seq < next);
          recent.dropAfter(next - 1);
        } else {
          const after = at(one.share);
          const head = Math.max(after, at(one.head));
          const page = recent.page(after, one.maxBytes, head);
          assert.deepEqual(
            page,
            model.filter((entry) => entry.seq > after && entry.seq <= after + page.length),
          );
          if (head > after) {
            assert.ok(page.length > 0);
            const size = page.reduce((sum, entry) => sum + entry.event.length, 0);
            assert.ok(page.length === 1 || size <= one.maxBytes);
            const following = model.find((entry) => entry.seq === after + page.length + 1 && entry.seq <= head);
            assert.ok(following === undefined || size + following.event.length > one.maxBytes);
          }
        }
        assert.equal(recent.length, model.length);
        if (model.length > 0) assert.equal(recent.last, next - 1);
        for (const { seq } of model) assert.ok(recent.has(seq));
        assert.ok(!recent.has(next));
      }
      assert.deepEqual(recent.page(next - 1 - model.length, Number.POSITIVE_INFINITY, next - 1), model);
    }),
    { numRuns: 300 },
  );
});

void test("the JSON that tokens have in common is kept once, and nothing once all are dropped", () => {
  const recent = createRecent();
  for (let seq = 1; seq <= 10_000; seq += 1) {
    recent.push({
      seq,
      gen: seq,
      at: seq,
      attempt: 1,
      audience: "public",
      event: `{"artifactUpdate":{"taskId":"4f6d1e0a","parts":[{"text":"token ${seq}"}]},"append":true}}`,
    });
    recent.release(seq);
  }
  assert.ok(recent.bytes < 10_000 * 20, `${recent.bytes}`);
  recent.dropThrough(10_000);
  assert.equal(recent.bytes, 0);
  assert.equal(recent.length, 0);
  assert.equal(recent.last, 10_000);
});
