import assert from "node:assert/strict";
import test from "node:test";
import fc from "fast-check";
import type { Artifact, Message, Part, StreamResponse, Task } from "../model/a2a.ts";
import { createMirror, type Repair } from "./mirror.ts";

const IDS = { taskId: "t", contextId: "c" };
const chunk = (text: string, append: boolean, artifactId = "a1"): StreamResponse => ({
  artifactUpdate: { ...IDS, artifact: { artifactId, parts: [{ text }] }, append },
});
const task = (artifacts: readonly Artifact[], more: Partial<Task> = {}): Task => ({
  id: "t",
  contextId: "c",
  status: { state: "TASK_STATE_WORKING" },
  artifacts,
  ...more,
});
const said = (messageId: string, text: string): Message => ({ messageId, role: "ROLE_AGENT", parts: [{ text }] });

/** What a reader has after all events. */
function fold(events: readonly StreamResponse[]): Readonly<Record<string, readonly string[]>> {
  const artifacts: Record<string, string[]> = {};
  for (const event of events) {
    if (!("artifactUpdate" in event)) continue;
    const { artifact, append } = event.artifactUpdate;
    const parts = append === true ? (artifacts[artifact.artifactId] ?? []) : [];
    for (const part of artifact.parts) {
      const last = parts.at(-1);
      if (part.text !== undefined && last !== undefined && !last.startsWith("{")) parts[parts.length - 1] = last + part.text;
      else if (part.text !== "") parts.push(part.text ?? JSON.stringify(part));
    }
    artifacts[artifact.artifactId] = parts;
  }
  return artifacts;
}

function events(repairs: readonly Repair[]): readonly StreamResponse[] {
  return repairs.map((repair) => repair.event);
}

test("what was missed is appended, chunk by chunk where the agent keeps its chunks as parts", () => {
  const mirror = createMirror();
  mirror.note({ task: task([]) });
  mirror.note(chunk("one ", false));
  mirror.note(chunk("two ", true));
  const repairs = mirror.compare(task([{ artifactId: "a1", parts: [{ text: "one " }, { text: "two " }, { text: "three " }, { text: "four" }] }]));
  assert.deepEqual(repairs, [
    { event: chunk("three ", true), resync: "append" },
    { event: chunk("four", true), resync: "append" },
  ]);
  assert.deepEqual(mirror.compare(task([{ artifactId: "a1", parts: [{ text: "one two three four" }] }])), [], "the repair was noted");
});

test("a cut inside of a part gives the rest of it", () => {
  const mirror = createMirror();
  mirror.note(chunk("one two", false));
  assert.deepEqual(events(mirror.compare(task([{ artifactId: "a1", parts: [{ text: "one two three" }] }]))).slice(0, 1), [chunk(" three", true)]);
});

test("what differs is replaced, and what the agent does not keep is left alone", () => {
  const mirror = createMirror();
  mirror.note({ task: task([]) });
  mirror.note(chunk("ours", false));
  mirror.note(chunk("kept", false, "a2"));
  const artifact: Artifact = { artifactId: "a1", parts: [{ text: "theirs" }] };
  assert.deepEqual(mirror.compare(task([artifact])), [{ event: { artifactUpdate: { ...IDS, artifact } }, resync: "replace" }]);
});

test("missed status messages come before the rest, only those after what we sent, each once", () => {
  const mirror = createMirror({ sent: "m1" });
  mirror.note({ task: task([]) });
  mirror.note({ statusUpdate: { ...IDS, status: { state: "TASK_STATE_WORKING", message: said("s1", "a") } } });
  const history = [said("old", "x"), { ...said("m1", "go"), role: "ROLE_USER" as const }, said("s1", "a"), said("s2", "b")];
  const status = { state: "TASK_STATE_COMPLETED", message: said("s3", "c") } as const;
  const repairs = mirror.compare(task([], { history, status }));
  assert.deepEqual(
    events(repairs).map((event) => ("statusUpdate" in event ? event.statusUpdate.status.message?.messageId : "")),
    ["s2", "s3"],
  );
  assert.deepEqual(mirror.compare(task([], { history, status })), []);
});

const part: fc.Arbitrary<Part> = fc.oneof(
  { weight: 4, arbitrary: fc.record({ text: fc.string({ unit: "binary", maxLength: 6 }) }) },
  { weight: 1, arbitrary: fc.record({ data: fc.jsonValue().map((value) => value as null) }) },
  { weight: 1, arbitrary: fc.record({ raw: fc.base64String() }) },
);

test("whatever we have of an artifact, after the repairs we have what the agent has", () => {
  fc.assert(
    fc.property(fc.array(part, { minLength: 1, maxLength: 12 }), fc.nat(12), fc.boolean(), (parts, seen, isBroken) => {
      const ours: StreamResponse[] = parts
        .slice(0, seen)
        .map((one, index) => ({ artifactUpdate: { ...IDS, artifact: { artifactId: "a1", parts: [one] }, append: index > 0 } }));
      if (isBroken) ours.push(chunk("lost and found", ours.length > 0));
      const mirror = createMirror();
      for (const event of ours) mirror.note(event);
      const whole = task([{ artifactId: "a1", parts }]);
      const repaired = fold([...ours, ...events(mirror.compare(whole))])["a1"] ?? [];
      assert.deepEqual(repaired, fold([{ artifactUpdate: { ...IDS, artifact: { artifactId: "a1", parts } } }])["a1"]);
      assert.deepEqual(mirror.compare(whole), []);
    }),
    { numRuns: 500 },
  );
});
