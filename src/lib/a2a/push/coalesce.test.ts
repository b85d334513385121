import assert from "node:assert/strict";
import test from "node:test";
import type { Artifact, StreamResponse, TaskState } from "../../model/a2a.ts";
import { type Audience, encodeEvent, type Entry } from "../../model/entry.ts";
import { createManualClock } from "../../../../test/support/manual-clock.ts";
import { coalesce, type CoalesceOptions, type Outgoing, withoutReply } from "./coalesce.ts";

const ids = { taskId: "t", contextId: "c" };
let seq = 0;

function entry(event: StreamResponse, audience: Audience = "public"): Entry {
  seq += 1;
  return { seq, gen: seq, at: 0, attempt: 1, audience, event: encodeEvent(event) };
}

function chunk(text: string, append = true, more: Partial<Artifact> = {}, lastChunk?: boolean): Entry {
  return entry({
    artifactUpdate: { ...ids, artifact: { artifactId: "a", parts: [{ text }], ...more }, append, ...(lastChunk !== undefined && { lastChunk }) },
  });
}

function status(state: TaskState = "TASK_STATE_WORKING", audience: Audience = "public"): Entry {
  return entry({ statusUpdate: { ...ids, status: { state } } }, audience);
}

function short(outgoing: Outgoing): string {
  const { event } = outgoing;
  if ("artifactUpdate" in event) {
    const { artifact, append, lastChunk } = event.artifactUpdate;
    return `${outgoing.seq}:${artifact.artifactId}${append === true ? "+" : "="}${artifact.parts.map((part) => part.text ?? "?").join("|")}${lastChunk === true ? "." : ""}`;
  }
  return `${outgoing.seq}:${"statusUpdate" in event ? event.statusUpdate.status.state : Object.keys(event)[0]}`;
}

async function run(batches: readonly (readonly Entry[])[], options: Partial<CoalesceOptions> = {}): Promise<string[]> {
  const source = (async function* () {
    yield* batches;
  })();
  const out: string[] = [];
  const clock = createManualClock();
  for await (const one of coalesce(source, { maxMs: 250, maxBytes: 64 * 1024, clock, ...options })) out.push(short(one));
  return out;
}

function fresh<T>(make: () => T): T {
  seq = 0;
  return make();
}

test("consecutive appends of one artifact are one event, whatever stands between them that is not public", async () => {
  const batches = fresh(() => [[chunk("a", false), chunk("b")], [status("TASK_STATE_WORKING", "extension"), chunk("c")], [status("TASK_STATE_COMPLETED")]]);
  assert.deepEqual(await run(batches), ["4:a=abc", "5:TASK_STATE_COMPLETED"]);
});

test("another artifact, a replacement, a name or a last chunk ends the run", async () => {
  const batches = fresh(() => [
    [
      chunk("1", false),
      chunk("2"),
      chunk("x", false, { artifactId: "b" }),
      chunk("3"),
      chunk("4", false),
      chunk("5", true, { name: "n" }),
      chunk("6", true, {}, true),
      chunk("7"),
    ],
  ]);
  assert.deepEqual(await run(batches), ["2:a=12", "3:b=x", "4:a+3", "5:a=4", "7:a+56.", "8:a+7"]);
});

test("parts that are not plain text keep their own place", async () => {
  const batches = fresh(() => [
    [chunk("a"), chunk("b", true, { parts: [{ data: 1 }] }), chunk("c"), chunk("d", true, { parts: [{ text: "m", mediaType: "text/x" }] }), chunk("e")],
  ]);
  assert.deepEqual(await run(batches), ["5:a+a|?|c|m|e"]);
});

test("a run is closed before it grows over the limit", async () => {
  const size = fresh(() => chunk("x".repeat(100))).event.length;
  const batches = fresh(() => [Array.from({ length: 10 }, () => chunk("x".repeat(100)))]);
  const out = await run(batches, { maxBytes: size * 4 });
  assert.deepEqual(
    out.map((one) => one.split(":")[0]),
    ["4", "8", "10"],
  );
});

test("a run goes out when its time is over, and the next entry begins another", async () => {
  const clock = createManualClock();
  const [a, b, c] = fresh(() => [chunk("a"), chunk("b"), chunk("c")] as const);
  let give: (batch: readonly Entry[]) => void = () => undefined;
  const source = (async function* () {
    yield [a];
    for (;;) yield await new Promise<readonly Entry[]>((resolve) => (give = resolve));
  })();
  const out = coalesce(source, { maxMs: 250, maxBytes: 1000, clock });
  const first = out.next();
  await clock.sleeping(250);
  clock.advance(200);
  give([b]);
  await clock.sleeping(50);
  clock.advance(50);
  assert.equal(short((await first).value as Outgoing), "2:a+ab");
  const second = out.next();
  give([c]);
  await clock.sleeping(250);
  clock.advance(250);
  assert.equal(short((await second).value as Outgoing), "3:a+c");
});

test("entry 1 of an agent that may reply with a message waits; a reply leaves nothing to say", async () => {
  const first = (): Entry => entry({ task: { id: "t", contextId: "c", status: { state: "TASK_STATE_SUBMITTED" } } });
  const reply = (): Entry => entry({ statusUpdate: { ...ids, status: { state: "TASK_STATE_SUBMITTED" }, metadata: { x: { kind: "reply" } } } }, "internal");
  const left = async (batches: readonly (readonly Entry[])[]): Promise<number[]> => {
    const source = (async function* () {
      yield* batches;
    })();
    const seqs: number[] = [];
    for await (const batch of withoutReply(source)) seqs.push(...batch.map((one) => one.seq));
    return seqs;
  };
  const aside = (): Entry => status("TASK_STATE_SUBMITTED", "internal");
  assert.deepEqual(await left(fresh(() => [[first()], [aside()], [reply()]])), []);
  assert.deepEqual(await left(fresh(() => [[first(), aside(), reply()]])), []);
  assert.deepEqual(await left(fresh(() => [[first()], [aside()], [aside(), status()], [status()]])), [1, 3, 4, 5]);
  assert.deepEqual(await left(fresh(() => [[first(), status()], [aside()]])), [1, 2, 3]);
  assert.deepEqual(await left(fresh(() => [[first()]])), [1]);
});

test("when the consumer leaves, the source is let go", async () => {
  let left = false;
  const source = (async function* () {
    try {
      for (;;) yield [status()];
    } finally {
      left = true;
    }
  })();
  for await (const _ of coalesce(source, { maxMs: 1, maxBytes: 1, clock: createManualClock() })) break;
  assert.ok(left);
});
