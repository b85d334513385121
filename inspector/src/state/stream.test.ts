import assert from "node:assert/strict";
import { test } from "node:test";
import { effect } from "@preact/signals";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { loadStream, openStream, type StreamStore } from "./stream.ts";
import { LostWire, type Told, type Transport } from "./transport.ts";

const IDS = { taskId: "t", contextId: "c" };

/** Entry `seq` of a stream of `last` entries: the Task, words, COMPLETED. */
function entryOf(seq: number, last: number): StreamEntry {
  const base = { seq, gen: seq, at: 1000 + seq, attempt: 1, audience: "public" } as const;
  if (seq === 1) return { ...base, event: { task: { id: "t", contextId: "c", status: { state: "TASK_STATE_WORKING" } } } };
  if (seq === last) return { ...base, event: { statusUpdate: { ...IDS, status: { state: "TASK_STATE_COMPLETED" } } } };
  return { ...base, event: { artifactUpdate: { ...IDS, artifact: { artifactId: "a", parts: [{ text: `w${seq} ` }] }, append: seq > 2 } } };
}

/** A server whose wire breaks after so many entries, each time anew; `overlap` entries before the cursor come again. */
function breaking(last: number, { each, overlap = 0 }: { readonly each: number; readonly overlap?: number }): Transport {
  return async function* ({ agent, task, after }): AsyncGenerator<Told> {
    const from = after === undefined ? 0 : Number(after.split(".")[1]);
    yield { kind: "opened", stream: { agent, task, opening: after === undefined ? "fresh" : "resume", cursor: after ?? "log.0" } };
    for (let seq = Math.max(1, from + 1 - overlap); seq <= last; seq += 1) {
      yield { kind: "entries", entries: [entryOf(seq, last)], cursor: `log.${seq}` };
      if (seq >= from + each && seq < last) throw new LostWire("cut", { final: false });
    }
    yield { kind: "end" };
  };
}

function until(stream: StreamStore, done: () => boolean): Promise<void> {
  return new Promise((resolve) => {
    effect(() => {
      void stream.version.value;
      void stream.connection.value;
      void stream.phase.value;
      if (done()) resolve();
    });
  });
}

test("a stream over a wire that breaks again and again is whole: nothing missed, nothing twice, and what was repeated is counted", async () => {
  const stream = openStream("agent", "breaking", { transport: breaking(9, { each: 4, overlap: 1 }) });
  await until(stream, () => stream.connection.value.kind === "ended");
  assert.deepEqual(
    stream.entries.map(({ seq }) => seq),
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  const { resumes, missed, repeated } = stream.wire.value;
  assert.deepEqual(
    resumes.map(({ after, first, missed, repeated, opening }) => ({ after, first, missed, repeated, opening })),
    [
      { after: 4, first: 5, missed: 0, repeated: 1, opening: "resume" },
      { after: 8, first: 9, missed: 0, repeated: 1, opening: "resume" },
    ],
  );
  assert.deepEqual([missed, repeated], [0, 2]);
  assert.equal(stream.fold()?.artifacts?.[0]?.parts[0]?.text, "w2 w3 w4 w5 w6 w7 w8 ");
  assert.deepEqual([stream.state.value, stream.phase.value, stream.context.value], ["TASK_STATE_COMPLETED", "ended", "c"]);
  stream.close();
});

test("a gap is counted", async () => {
  const transport: Transport = async function* ({ agent, task }) {
    yield { kind: "opened", stream: { agent, task, opening: "fresh", cursor: "log.0" } };
    yield { kind: "entries", entries: [entryOf(1, 9), entryOf(4, 9)], cursor: "log.4" };
    yield { kind: "end" };
  };
  const stream = openStream("agent", "gap", { transport });
  await until(stream, () => stream.connection.value.kind === "ended");
  assert.deepEqual(stream.wire.value, { resumes: [], missed: 2, repeated: 0 });
  stream.close();
});

test("a stream that is refused does not come back, and says why", async () => {
  const stream = openStream("agent", "refused", {
    // oxlint-disable-next-line require-yield -- it refuses before it tells anything
    transport: async function* () {
      throw new LostWire("There is no such task.", { final: true });
    },
  });
  await until(stream, () => stream.connection.value.kind === "failed");
  assert.deepEqual(stream.connection.value, { kind: "failed", why: "There is no such task." });
  stream.close();
});

test("silence is the stream's only while the wire is there: a page that is cut off calls nothing stalled", async (t) => {
  const silent = (isCut: boolean): Transport =>
    async function* ({ agent, task }, { signal }) {
      yield { kind: "opened", stream: { agent, task, opening: "fresh", cursor: "log.0" } };
      yield { kind: "entries", entries: [entryOf(1, 9), entryOf(2, 9)], cursor: "log.2" };
      // The entries are of long ago, so that the first tick finds the silence.
      if (isCut) throw new LostWire("cut", { final: false });
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    };
  const [cut, open] = [openStream("agent", "cut off", { transport: silent(true) }), openStream("agent", "silent", { transport: silent(false) })];
  for (const stream of [cut, open]) t.after(() => stream.close());
  await until(open, () => open.phase.value === "stalled");
  assert.equal(cut.phase.value, "generating");
});

test("views of one task share a stream", () => {
  const transport = breaking(3, { each: 9 });
  const [one, two] = [openStream("agent", "shared", { transport }), openStream("agent", "shared", { transport })];
  assert.equal(one, two);
  one.close();
  two.close();
});

test("a file is a stream without a server", () => {
  const entries = [1, 2, 3].map((seq) => entryOf(seq, 3));
  const stream = loadStream({ agent: "agent", task: "t", entries });
  assert.deepEqual([stream.source, stream.entries, stream.connection.value.kind], ["file", entries, "file"]);
  assert.equal(stream.state.value, "TASK_STATE_COMPLETED");
});
