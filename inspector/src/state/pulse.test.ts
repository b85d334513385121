import assert from "node:assert/strict";
import { test } from "node:test";
import type { StreamResponse, TaskState } from "../../../src/lib/model/a2a.ts";
import { type ExtensionData, toMetadata } from "../../../src/lib/model/extension.ts";
import { createPulse, type Pulse } from "./pulse.ts";

const IDS = { taskId: "t", contextId: "c" };
const T0 = 1_700_000_000_000;

const begins = (text: string): StreamResponse => ({
  task: {
    id: "t",
    contextId: "c",
    status: { state: "TASK_STATE_SUBMITTED" },
    history: [{ messageId: "m", role: "ROLE_USER", parts: [{ text }] }],
  },
});
const becomes = (state: TaskState): StreamResponse => ({ statusUpdate: { ...IDS, status: { state } } });
const says = (text: string, options: { readonly append?: boolean; readonly artifactId?: string } = {}): StreamResponse => ({
  artifactUpdate: { ...IDS, artifact: { artifactId: options.artifactId ?? "a", parts: [{ text }] }, append: options.append ?? true },
});
const aside = (data: ExtensionData): StreamResponse => ({ statusUpdate: { ...IDS, status: { state: "TASK_STATE_WORKING" }, metadata: toMetadata(data) } });

/** Entries from seq `first` on, 20 ms apart, each as old as the wire takes when it comes. */
function feed(pulse: Pulse, events: readonly StreamResponse[], first = 1): number {
  for (const [index, event] of events.entries()) {
    const at = T0 + (first + index) * 20;
    pulse.take({ seq: first + index, gen: 0, at, attempt: 1, audience: "public", event }, at + 5);
  }
  return T0 + (first + events.length - 1) * 20 + 5;
}

test("a line says what was asked, what the stream does, how fast, and its last words", () => {
  const pulse = createPulse();
  const last = feed(pulse, [
    begins(" Tell me\n more "),
    becomes("TASK_STATE_WORKING"),
    says("one ", { append: false }),
    ...Array.from({ length: 30 }, () => says("two ")),
  ]);
  assert.deepEqual(pulse.begun, { at: T0 + 20, title: "Tell me more" });
  assert.deepEqual([pulse.phase, pulse.state, pulse.head, pulse.statusAt], ["generating", "TASK_STATE_WORKING", 33, T0 + 40]);
  assert.ok(Math.abs((pulse.rate ?? 0) - 50) < 1, `${pulse.rate} tokens a second`);
  assert.match(pulse.words, /^one (two ){30}$/);
  pulse.tick(last + 60_000);
  assert.equal(pulse.phase, "stalled");
  feed(pulse, [becomes("TASK_STATE_COMPLETED")], 34);
  assert.deepEqual([pulse.phase, pulse.state, pulse.rate], ["ended", "TASK_STATE_COMPLETED", undefined]);
});

test("words are one artifact's or one speaker's, from the last time it began anew, and no more than a line has", () => {
  const pulse = createPulse();
  feed(pulse, [begins("x"), says("void", { append: false }), says("anew", { append: false }), says(" more")]);
  assert.equal(pulse.words, "anew more");
  feed(pulse, [says("other", { artifactId: "b" })], 5);
  assert.equal(pulse.words, "other");
  feed(pulse, [aside({ kind: "text", text: "I am ", path: ["researcher"] }), aside({ kind: "text", text: "asked", path: ["researcher"] })], 6);
  assert.deepEqual([pulse.speaker, pulse.words], ["researcher", "I am asked"]);
  feed(pulse, [says("x".repeat(5000), { artifactId: "b" })], 8);
  assert.deepEqual([pulse.speaker, pulse.words], ["", "x".repeat(140)]);
});

test("where early entries are gone a line begins with what they amounted to", () => {
  const pulse = createPulse();
  const artifacts = [{ artifactId: "a", parts: [{ text: "so far " }] }];
  pulse.restore({ id: "t", contextId: "c", status: { state: "TASK_STATE_INPUT_REQUIRED", timestamp: new Date(T0).toISOString() }, artifacts }, 500);
  assert.deepEqual([pulse.head, pulse.state, pulse.statusAt, pulse.words], [500, "TASK_STATE_INPUT_REQUIRED", T0, "so far "]);
  feed(pulse, [becomes("TASK_STATE_WORKING"), says("and on")], 501);
  assert.deepEqual([pulse.words, pulse.state, pulse.phase], ["so far and on", "TASK_STATE_WORKING", "generating"]);
});

test("from a tail it is known what a stream does, though not what it was asked; what comes again counts once", () => {
  const pulse = createPulse();
  feed(pulse, [says("a"), says("b")], 501);
  feed(pulse, [says("b"), says("c")], 502);
  assert.deepEqual([pulse.words, pulse.head, pulse.begun, pulse.state, pulse.phase], ["abc", 503, undefined, undefined, "generating"]);
});
