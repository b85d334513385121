import assert from "node:assert/strict";
import { test } from "node:test";
import fc from "fast-check";
import { streamResponses } from "../../../test/support/a2a-arbitraries.ts";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { fileName, readLines, type SavedStream, writeLines } from "./stream-file.ts";

const entries: fc.Arbitrary<readonly StreamEntry[]> = fc
  .array(
    fc.record({
      gap: fc.integer({ min: 1, max: 5 }),
      gen: fc.nat(),
      at: fc.nat(),
      attempt: fc.integer({ min: 1, max: 3 }),
      audience: fc.constantFrom("public", "extension", "internal"),
      event: streamResponses,
    }),
    { maxLength: 8 },
  )
  .map((list) => {
    let seq = 0;
    return list.map(({ gap, ...entry }) => ({ seq: (seq += gap), ...entry }));
  });
const streams: fc.Arbitrary<readonly SavedStream[]> = fc.array(
  fc.record({ agent: fc.string({ unit: "grapheme" }), task: fc.string({ unit: "grapheme" }), context: fc.string({ unit: "grapheme" }), entries }),
  { maxLength: 4 },
);
const plain = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

test("what was written is read back the same", () => {
  fc.assert(
    fc.property(streams, (saved) => {
      const { streams: read, problems } = readLines([...writeLines(saved)].join(""));
      assert.deepEqual(problems, []);
      assert.deepEqual(plain(read), plain(saved));
    }),
  );
});

test("what a task amounted to before the first entry is kept with it", () => {
  const snapshot = { id: "t", contextId: "c", status: { state: "TASK_STATE_WORKING" } } as const;
  const saved: SavedStream = { agent: "a", task: "t", context: "c", snapshot, entries: [] };
  assert.deepEqual(readLines([...writeLines([saved])].join("")).streams, [saved]);
});

test("any text at all is read without an exception", () => {
  fc.assert(
    fc.property(fc.array(fc.oneof(fc.string(), fc.json(), fc.constant('{"event":{"task":{}}}'), fc.constant('{"statusUpdate":{"status":null}}'))), (lines) => {
      readLines(lines.join("\n"));
    }),
  );
});

test("A2A events of another tool's recording are entries", () => {
  const status = { taskId: "t-1", contextId: "c", status: { state: "TASK_STATE_WORKING", timestamp: "2026-01-01T00:00:00.000Z" } };
  const { streams: read, problems } = readLines(
    [
      JSON.stringify({ statusUpdate: status }),
      JSON.stringify({ jsonrpc: "2.0", id: 1, result: { message: { messageId: "m", role: "ROLE_AGENT", parts: [] } } }),
    ].join("\n"),
  );
  assert.deepEqual(problems, []);
  assert.equal(read[0]?.task, "t-1");
  assert.deepEqual(
    read[0]?.entries.map(({ seq, at }) => [seq, at]),
    [
      [1, Date.UTC(2026, 0, 1)],
      [2, Date.UTC(2026, 0, 1)],
    ],
  );
});

test("what is wrong is told with its line, and the rest is read", () => {
  const { streams: read, problems } = readLines(
    'nonsense\n{"format":"other@9"}\n\n{"seq":1,"at":5,"event":{"message":{"messageId":"m","role":"ROLE_AGENT","parts":[]}}}\n{"seq":1,"at":6,"event":{"message":{"parts":[]}}}',
  );
  assert.deepEqual(
    problems.map(({ line }) => line),
    [1, 2, 5],
  );
  assert.match(problems[1]?.message ?? "", /"other@9"; right is "ias-stream\/1"/);
  assert.equal(read[0]?.entries.length, 1);
});

test("a file's name is one that every system takes", () => {
  assert.equal(fileName([{ agent: "../te am", task: "0123456789", context: "", entries: [] }]), "_te_am-01234567.ndjson");
});
