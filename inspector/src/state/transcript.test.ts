import assert from "node:assert/strict";
import { test } from "node:test";
import type { Part, StreamResponse, TaskState } from "../../../src/lib/model/a2a.ts";
import type { Audience } from "../../../src/lib/model/entry.ts";
import { type ExtensionData, toMetadata } from "../../../src/lib/model/extension.ts";
import { createTranscript, type Transcript } from "./transcript.ts";

const IDS = { taskId: "t", contextId: "c" };
const said = (text: string, messageId = "m1") => ({ messageId, role: "ROLE_USER" as const, parts: [{ text }] });

/** A transcript of events, numbered from 1. */
function transcriptOf(...events: readonly StreamResponse[]): Transcript {
  const transcript = createTranscript();
  for (const [at, event] of events.entries()) transcript.apply({ seq: at + 1, gen: at + 1, at: 0, attempt: 1, audience: "public" satisfies Audience, event });
  return transcript;
}

const task: StreamResponse = { task: { id: "t", contextId: "c", status: { state: "TASK_STATE_SUBMITTED" }, history: [said("hello")] } };
const text = (piece: string, append = true): StreamResponse => ({
  artifactUpdate: { ...IDS, artifact: { artifactId: "answer", parts: [{ text: piece }] }, append },
});
const aside = (data: ExtensionData): StreamResponse => ({ statusUpdate: { ...IDS, status: { state: "TASK_STATE_WORKING" }, metadata: toMetadata(data) } });
const status = (state: TaskState, parts?: readonly Part[]): StreamResponse => ({
  statusUpdate: { ...IDS, status: { state, ...(parts !== undefined && { message: { messageId: `s-${state}`, role: "ROLE_AGENT", parts } }) } },
});

test("pieces of one answer are one block, until something else comes between", () => {
  const { blocks } = transcriptOf(
    task,
    text("a ", false),
    text("b"),
    aside({ kind: "reasoning", text: "hm", size: 2 }),
    text(" c"),
    status("TASK_STATE_COMPLETED"),
  );
  assert.deepEqual(
    blocks.map((block) => (block.kind === "text" ? [block.text, block.open] : block.kind)),
    ["user", ["a b", false], "reasoning", [" c", false]],
  );
});

test("an artifact that begins anew takes back what it said", () => {
  const { blocks } = transcriptOf(task, text("wrong", false), text("right", false));
  assert.deepEqual(
    blocks.flatMap((block) => (block.kind === "text" ? [block.text] : [])),
    ["right"],
  );
  assert.equal(new Set(blocks.map(({ id }) => id)).size, blocks.length);
});

test("a tool call that is told with and without its arguments is one, and takes its result", () => {
  const call = { kind: "tool-call", call: "1", name: "clock", idempotent: true } as const;
  const { blocks } = transcriptOf(
    task,
    aside(call),
    aside({ ...call, arguments: "{}" }),
    aside({ kind: "tool-result", call: "1", name: "clock", output: "12", failed: false }),
  );
  const [, tool, ...more] = blocks;
  assert.equal(more.length, 0);
  assert.ok(tool?.kind === "tool");
  assert.deepEqual([tool.arguments, tool.output, tool.state], ["{}", "12", "done"]);
});

test("approvals are asked until they are answered, by buttons or by words", () => {
  const ask = status("TASK_STATE_INPUT_REQUIRED", [
    { text: 'Approval is needed for the tool note. Answer "approve" or "reject".' },
    { data: { approvals: [{ call: "1", name: "note", arguments: "{}" }] } },
  ]);
  const answer = aside({
    kind: "input",
    user: "u",
    message: { messageId: "m2", role: "ROLE_USER", parts: [{ data: { approvals: [{ call: "1", approve: true }] } }] },
  });
  const open = transcriptOf(task, ask).blocks.at(-1);
  assert.ok(open?.kind === "approvals" && !open.over);
  const { blocks } = transcriptOf(task, ask, answer);
  const asked = blocks.at(-1);
  assert.ok(asked?.kind === "approvals" && asked.over && asked.answers.get("1") === true);
  assert.equal(blocks.filter(({ kind }) => kind === "user").length, 1, "an answer by a button has no words of its own");
  const byWords = transcriptOf(task, ask, aside({ kind: "input", user: "u", message: said("no", "m3") })).blocks;
  assert.deepEqual(
    byWords.map((block) => (block.kind === "approvals" ? block.over : block.kind)),
    ["user", true, "user"],
  );
});

test("a JSON Schema in a question is a form", () => {
  const schema = { type: "object", title: "Where to?", properties: { city: { type: "string" }, nights: { type: "integer" } }, required: ["city"] };
  for (const data of [schema, { requestedSchema: schema }, { form: schema }]) {
    const form = transcriptOf(task, status("TASK_STATE_INPUT_REQUIRED", [{ data }])).blocks.at(-1);
    assert.ok(form?.kind === "form");
    assert.deepEqual([form.schema.title, Object.keys(form.schema.properties), form.schema.required], ["Where to?", ["city", "nights"], ["city"]]);
  }
});

test("what another agent says is kept apart from the answer", () => {
  const { blocks } = transcriptOf(
    task,
    aside({ kind: "text", text: "from ", path: ["scout"] }),
    aside({ kind: "text", text: "afar", path: ["scout"] }),
    text("near", false),
  );
  assert.deepEqual(
    blocks.flatMap((block) => (block.kind === "text" ? [[block.path, block.text]] : [])),
    [
      ["scout", "from afar"],
      ["", "near"],
    ],
  );
});

test("a long answer is blocks that end with a paragraph, not within code, and what it says is the same", () => {
  const code = `\n\n\`\`\`ts\n${"const a = 1;\n\n".repeat(1200)}\`\`\`\n\n`;
  const whole = `${"A sentence. ".repeat(1200)}${code}${"Another one.\n\n".repeat(4000)}`;
  const pieces = whole.match(/[^]{1,7}/g) ?? [];
  const grown = transcriptOf(task, ...pieces.map((piece, index) => text(piece, index > 0))).blocks.slice(1);
  const atOnce = transcriptOf(task, text(whole, false)).blocks.slice(1);
  for (const blocks of [grown, atOnce]) {
    const texts = blocks.map((block) => (block.kind === "text" ? block.text : "?"));
    assert.equal(texts.join(""), whole);
    assert.ok(texts.length >= 3, `${texts.length} blocks`);
    for (const one of texts) {
      assert.ok(one.length <= 40_000);
      assert.equal(one.split("```").length % 2, 1, "code is not torn");
    }
    assert.deepEqual(
      blocks.map((block) => block.kind === "text" && block.open),
      texts.map((_, index) => index === texts.length - 1),
    );
  }
  const unbroken = transcriptOf(task, text("x".repeat(100_000), false)).blocks.slice(1);
  assert.deepEqual(
    unbroken.map((block) => (block.kind === "text" ? block.text.length : 0)).reduce((sum, length) => sum + length, 0),
    100_000,
  );
  assert.ok(unbroken.length >= 3);
});
