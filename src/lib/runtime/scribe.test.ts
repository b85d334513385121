import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { defineAgent } from "../engine/define-agent.ts";
import { encodeEvent } from "../model/entry.ts";
import { readExtension } from "../model/extension.ts";
import { createTaskView } from "../task/view.ts";
import { createScribe, type Scribe } from "./scribe.ts";

function scribe(): Scribe {
  const agent = defineAgent({ id: "agent", engine: { async *run() {} } });
  return createScribe({ task: 'task "1"', context: "context\\1", agent, limits: { maxEntryBytes: 6000 }, view: createTaskView(), turn: 1, now: () => 0 });
}

describe("scribe", () => {
  it("knows the JSON of a token exactly as it would be encoded, for any text and artifact", () => {
    const pieces = fc.array(fc.record({ text: fc.string({ unit: "binary", minLength: 1 }), artifact: fc.constantFrom("answer", 'a"1', "ü\n") }));
    fc.assert(
      fc.property(pieces, (events) => {
        const { write } = scribe();
        const opened = new Set<string>();
        for (const { text, artifact } of events) {
          for (const draft of write({ kind: "text", text, artifact })) {
            assert.equal(draft.json !== undefined, opened.has(artifact), "only a first piece is encoded later");
            if (draft.json !== undefined) assert.equal(draft.json, encodeEvent(draft.event));
            opened.add(artifact);
          }
        }
      }),
    );
  });

  it("splits a text that is too long for an entry into pieces that join to it", () => {
    const text = "🙂".repeat(2000);
    const drafts = scribe().write({ kind: "text", text });
    const pieces = drafts.map(({ event }) => ("artifactUpdate" in event ? event.artifactUpdate.artifact.parts[0]?.text : ""));
    assert.ok(drafts.length > 1);
    assert.equal(pieces.join(""), text);
    assert.ok(pieces.every((piece) => piece?.isWellFormed()));
  });

  it("splits long reasoning and a child's long text, and shows the beginning of a tool's long arguments and output", () => {
    const long = "a".repeat(5000);
    const { write } = scribe();
    const told = (drafts: ReturnType<Scribe["write"]>) => drafts.map(({ event }) => readExtension(event));
    const joined = (drafts: ReturnType<Scribe["write"]>): string =>
      told(drafts).reduce((all, data) => all + (data !== undefined && "text" in data ? data.text : ""), "");
    assert.equal(joined(write({ kind: "reasoning", text: long })), long);
    assert.equal(joined(write({ kind: "text", text: long, path: ["child"] })), long);
    const output = told(write({ kind: "tool-result", call: "c", name: "t", output: long })).findLast((data) => data?.kind === "tool-result");
    assert.match(output?.kind === "tool-result" ? (output.output ?? "") : "", /^a{950}… \[4050 more characters\]$/);
    const call = told(write({ kind: "tool-call", call: "c", name: "t", arguments: long })).findLast((data) => data?.kind === "tool-call");
    assert.match(call?.kind === "tool-call" ? (call.arguments ?? "") : "", /^a{950}… \[4050 more characters\]$/);
  });

  it("shows the beginning of long arguments where approval is asked for, so that all of them fit in one entry", () => {
    for (const count of [1, 3, 8]) {
      const approvals = Array.from({ length: count }, (_, index) => ({ call: `c${index}`, name: "pay", arguments: "\u0001".repeat(1_000_000) }));
      const { approvals: toParts, status } = scribe();
      const parts = toParts(undefined, approvals);
      const { approvals: shown } = JSON.parse(JSON.stringify(parts[1]?.data)) as { approvals: typeof approvals };
      assert.deepEqual(
        shown.map(({ call }) => call),
        approvals.map(({ call }) => call),
      );
      for (const { arguments: text } of shown) assert.match(text, /… \[\d+ more characters\]$/);
      assert.ok(encodeEvent(status("TASK_STATE_INPUT_REQUIRED", parts).event).length < 8000);
    }
  });

  it("refuses what is too long for an entry and cannot be cut", () => {
    assert.throws(() => scribe().write({ kind: "note", name: "plan", value: "a".repeat(7000) }), { code: "too-large", reason: "ENTRY_TOO_LARGE" });
  });
});
