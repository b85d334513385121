import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { IasError } from "../model/errors.ts";
import type { AgentEvent } from "./engine.ts";
import { toEvent } from "./to-event.ts";

const RIGHT: readonly AgentEvent[] = [
  { kind: "text", text: "a" },
  { kind: "text", text: "", artifact: "b", name: "n", path: ["child"] },
  {
    kind: "artifact",
    artifact: { artifactId: "a", parts: [{ raw: "aGk=", mediaType: "image/png" }, { url: "x:" }, { data: null }] },
    append: true,
    lastChunk: false,
  },
  { kind: "status" },
  { kind: "status", message: [{ text: "so", metadata: { a: [1, { b: null }] } }], metadata: { c: true } },
  { kind: "reasoning", text: "r", path: ["child"] },
  { kind: "tool-call", call: "1", name: "t", arguments: "{}", idempotent: true },
  { kind: "tool-result", call: "1", name: "t", output: "", failed: true },
  { kind: "delegation", from: "a", to: "b", via: "handoff", task: "t" },
  { kind: "usage", usage: { inputTokens: 1, outputTokens: 2, totalTokens: 3, cachedInputTokens: 1, model: "m" } },
  { kind: "note", name: "n", value: [] },
  { kind: "liveness", signal: { kind: "retry-wait", forMs: 10 } },
  { kind: "liveness", signal: { kind: "tool-start", call: "1" } },
  { kind: "checkpoint", state: { version: "v", data: "d" } },
  { kind: "interrupt", reason: "auth" },
  { kind: "interrupt", reason: "input", approvals: [{ call: "1", name: "t", arguments: "{}" }], state: { version: "v", data: "" } },
  { kind: "reply", parts: [{ text: "a" }], metadata: {} },
  { kind: "end", outcome: "rejected", message: [] },
];

const cyclic: Record<string, unknown> = {};
cyclic["self"] = cyclic;

/** What is yielded, and what the error must say of it. */
const WRONG: readonly (readonly [given: unknown, said: RegExp])[] = [
  [undefined, /it is undefined\. Right is an object such as \{ kind: "text", text: "Hello" \}/],
  ["hello", /it is a text\./],
  [{}, /its kind is undefined\. Right is one of text, artifact/],
  [{ kind: "txet", text: "a" }, /its kind is "txet"/],
  [{ kind: "toString" }, /its kind is "toString"/],
  [{ kind: "text" }, /text\.text is missing, and must be a text/],
  [{ kind: "text", content: "a" }, /it has kind, content/],
  [{ kind: "text", text: 42 }, /text\.text is a number, and must be a text/],
  [{ kind: "text", text: "a", artifact: 7 }, /text\.artifact is a number/],
  [{ kind: "text", text: "a", path: "child" }, /text\.path is a text, and must be a list of texts/],
  [
    { kind: "artifact", artifact: { artifactId: "a", parts: [{ raw: new Uint8Array(3) }] } },
    /artifact\.parts\[0\]\.raw is an? Uint8Array, and must be base64 text: Buffer/,
  ],
  [{ kind: "artifact", artifact: { artifactId: "a", parts: [{}] } }, /artifact\.parts\[0\] has no content, and must have exactly one of text, raw, url, data/],
  [{ kind: "artifact", artifact: { artifactId: "a", parts: [{ text: "a", url: "b" }] } }, /has text and url/],
  [{ kind: "artifact", artifact: { artifactId: "", parts: [] } }, /artifactId is empty/],
  [{ kind: "artifact", artifact: { parts: [] } }, /artifact\.artifactId is missing/],
  [{ kind: "status", message: "working" }, /status\.message is a text, and must be a list of parts/],
  [{ kind: "status", metadata: { big: 10n } }, /status\.metadata\.big is a bigint, and must be JSON: a number, or String\(value\)/],
  [{ kind: "status", metadata: cyclic }, /status\.metadata\.self holds itself \(it is cyclic\)/],
  [{ kind: "status", metadata: { f() {} } }, /status\.metadata\.f is a function, and must be JSON/],
  [{ kind: "status", metadata: [] }, /status\.metadata is a list, and must be an object/],
  [{ kind: "note", name: "n", value: new Map([["a", 1]]) }, /note\.value is a Map/],
  [{ kind: "note", name: "n", value: Number.NaN }, /note\.value is NaN, and must be a finite number/],
  [{ kind: "note", name: "n" }, /note\.value is missing/],
  [{ kind: "note", name: "n", value: "\ud83d" }, /note\.value holds half a character \(a lone surrogate\)/],
  [{ kind: "end", outcome: "completed", message: [{ text: "\ude00" }] }, /end\.message\[0\]\.text holds half a character/],
  [{ kind: "tool-call", call: "1", name: "t", arguments: { q: 1 } }, /tool-call\.arguments is an object, and must be JSON text: JSON\.stringify\(arguments\)/],
  [{ kind: "tool-result", call: "1", name: "t" }, /tool-result\.output is missing/],
  [{ kind: "usage", usage: { inputTokens: "1", outputTokens: 1, totalTokens: 1 } }, /usage\.usage\.inputTokens is a text, and must be a number, 0 or more/],
  [{ kind: "usage" }, /usage\.usage is missing/],
  [{ kind: "liveness", signal: { kind: "alive" } }, /liveness\.signal\.kind is a text, and must be one of "queued"/],
  [{ kind: "checkpoint", state: { step: 1 } }, /checkpoint\.state\.version is missing/],
  [{ kind: "checkpoint", state: { version: "v", data: "a".repeat(1024 * 1024) } }, /state has 1048577 characters, and may have 1048576/],
  [{ kind: "interrupt" }, /interrupt\.reason is missing, and must be one of "input", "auth"/],
  [{ kind: "interrupt", reason: "input", approvals: [{ name: "t" }] }, /interrupt\.approvals\[0\]\.call is missing/],
  [{ kind: "end", outcome: "ok" }, /end\.outcome is a text, and must be one of "completed", "failed", "rejected"/],
];

describe("toEvent", () => {
  it("gives right events as they are, and hands a plain piece of text through untouched", () => {
    for (const event of RIGHT) assert.deepEqual(toEvent(event, 1), event);
    const piece = { kind: "text", text: "\ud83d" } as const;
    assert.equal(toEvent(piece, 1), piece);
  });

  it("takes members that are undefined as absent, as plain JavaScript writes them", () => {
    assert.deepEqual(toEvent({ kind: "status", message: undefined, metadata: { a: undefined, b: 1 } }, 1), { kind: "status", metadata: { b: 1 } });
    assert.deepEqual(toEvent({ kind: "text", text: "a", path: undefined }, 1), { kind: "text", text: "a", path: undefined });
  });

  for (const [given, said] of WRONG) {
    it(`says what is wrong: ${said.source}`, () => {
      assert.throws(
        () => toEvent(given, 3),
        (error) => {
          assert.ok(error instanceof IasError);
          assert.deepEqual([error.code, error.reason], ["engine-failed", "EVENT_INVALID"]);
          assert.match(error.message, said);
          assert.match(error.message, /^Event 3 of the agent in this turn is wrong: /);
          assert.match(error.message, /Right is /);
          return true;
        },
      );
    });
  }

  it("copies data, so that whoever made it cannot change what is written, and keeps what JSON would", () => {
    const value = { list: [1], when: new Date(0), ["__proto__x"]: 1 };
    const event = toEvent({ kind: "note", name: "n", value }, 1);
    value.list.push(2);
    assert.deepEqual(event, { kind: "note", name: "n", value: { list: [1], when: "1970-01-01T00:00:00.000Z", ["__proto__x"]: 1 } });
    const hostile: unknown = JSON.parse('{"kind":"note","name":"n","value":{"__proto__":{"a":1}}}');
    assert.equal(JSON.stringify(toEvent(hostile, 1)), '{"kind":"note","name":"n","value":{"__proto__":{"a":1}}}');
  });

  it("repairs what a model or a tool cut in the middle of a character", () => {
    const event = toEvent({ kind: "tool-result", call: "1", name: "t", output: "cut \ud83d" }, 1);
    assert.equal(event.kind === "tool-result" && event.output, "cut \ufffd");
  });

  it("copies any JSON as JSON does", () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const event = toEvent({ kind: "note", name: "n", value }, 1);
        assert.equal(JSON.stringify(event.kind === "note" && event.value), JSON.stringify(value));
      }),
    );
  });
});
