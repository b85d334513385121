import assert from "node:assert/strict";
import { test } from "node:test";
import { signal } from "@preact/signals";
import fc from "fast-check";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { loadStream, openStream, type StreamStore } from "../state/stream.ts";
import type { Told, Transport } from "../state/transport.ts";
import type { Position } from "./position.ts";
import { createReplaySession, type ReplayFrames, type ReplaySession } from "./session.ts";

const ids = { taskId: "t", contextId: "c" };

/** A Task, words every 100 ms (or as long after each other as said), and the end. */
function entriesOf(gaps: readonly number[]): readonly StreamEntry[] {
  let at = 10_000;
  const base = (seq: number) => ({ seq, gen: 1, at, attempt: 1, audience: "public" }) as const;
  const list: StreamEntry[] = [{ ...base(1), event: { task: { id: "t", contextId: "c", status: { state: "TASK_STATE_WORKING" } } } }];
  for (const [index, gap] of gaps.entries()) {
    at += gap;
    const artifact = { artifactId: "a", parts: [{ text: `w${index} ` }] };
    list.push({ ...base(index + 2), event: { artifactUpdate: { ...ids, artifact, append: index > 0 } } });
  }
  at += 100;
  list.push({ ...base(gaps.length + 2), event: { statusUpdate: { ...ids, status: { state: "TASK_STATE_COMPLETED" } } } });
  return list;
}

const fileOf = (entries: readonly StreamEntry[]): StreamStore => loadStream({ agent: "agent", task: "t", entries });

/** A session with a clock that stands still until it is told, and all that the address was told. */
function standing(stream: StreamStore, begins?: Position) {
  const position = signal(begins);
  const told: (Position | undefined)[] = [];
  let waiting: (() => void) | undefined;
  let now = 0;
  const frames: ReplayFrames = {
    now: () => now,
    request: (run) => {
      waiting = run;
      return 1;
    },
    cancel: () => (waiting = undefined),
  };
  const moveTo = (next: Position | undefined): void => {
    told.push(next);
    position.value = next;
  };
  const replay = createReplaySession(stream, { position, moveTo }, frames);
  const detach = replay.attach();
  return {
    replay,
    position,
    told,
    detach,
    /** Lets `ms` pass in frames of 20 ms. */
    pass(ms: number) {
      for (const end = now + ms; now < end;) {
        now += 20;
        const run = waiting;
        waiting = undefined;
        run?.();
      }
    },
  };
}

const seqs = ({ shown }: ReplaySession): number[] => shown.entries.map(({ seq }) => seq);

test("without a position the stream itself is shown, with one what it was by then", () => {
  const stream = fileOf(entriesOf([100, 100, 100]));
  const { replay } = standing(stream);
  assert.equal(replay.shown.entries, stream.entries);
  assert.deepEqual([replay.shown.state.value, replay.shown.liveness.value.tokens], ["TASK_STATE_COMPLETED", 3]);
  replay.seekSeq(3);
  assert.deepEqual(seqs(replay), [1, 2, 3]);
  assert.deepEqual([replay.shown.state.value, replay.shown.phase.value, replay.shown.liveness.value.tokens], ["TASK_STATE_WORKING", "generating", 2]);
  assert.equal(replay.shown.fold()?.artifacts?.[0]?.parts[0]?.text, "w0 w1 ");
  replay.leave();
  assert.equal(replay.shown.entries, stream.entries);
  assert.equal(replay.shown.state.value, "TASK_STATE_COMPLETED");
});

test("whatever way one came to a position, it shows what a stream that ends there shows", () => {
  const gaps = Array.from({ length: 1300 }, (_, index) => (index % 97 === 0 ? 15_000 : 40));
  const entries = entriesOf(gaps);
  const stream = fileOf(entries);
  const { replay } = standing(stream);
  // A view as all are: an index of its own, anew where the generation changes.
  let seen: number[] = [];
  let generation = -1;
  const look = (): void => {
    void replay.shown.version.value;
    if (replay.shown.generation.value !== generation) seen = [];
    generation = replay.shown.generation.value;
    for (const { seq } of replay.shown.entries.slice(seen.length)) seen.push(seq);
  };
  fc.assert(
    fc.property(fc.array(fc.option(fc.integer({ min: 1, max: entries.length }), { freq: 5 }), { minLength: 1, maxLength: 6 }), (ways) => {
      for (const seq of ways) {
        if (seq === null) replay.leave();
        else replay.seekSeq(seq);
        look();
        const only = fileOf(entries.slice(0, seq ?? entries.length));
        assert.deepEqual(
          seen,
          only.entries.map((one) => one.seq),
        );
        assert.equal(replay.shown.state.value, only.state.value);
        assert.equal(replay.shown.liveness.value.tokens, only.liveness.value.tokens);
        assert.deepEqual(replay.shown.liveness.value.gaps, only.liveness.value.gaps);
      }
    }),
    { numRuns: 40 },
  );
});

test("it plays at its speed, tells the address where it is four times a second, and stands at the end", () => {
  const { replay, told, pass, position } = standing(fileOf(entriesOf(Array.from({ length: 100 }, () => 100))));
  replay.setSpeed(5);
  replay.toggle();
  pass(1000);
  assert.equal(replay.playing.value, true);
  assert.equal((replay.time.value ?? 0) - replay.from.value, 5000);
  assert.equal(seqs(replay).length, 51);
  assert.ok(told.length >= 3 && told.length <= 5, `${told.length} times`);
  replay.toggle();
  assert.deepEqual([replay.playing.value, position.value], [false, { seq: 51, after: 0 }]);
  replay.setSpeed(50);
  replay.toggle();
  pass(1000);
  assert.deepEqual([replay.playing.value, position.value?.seq], [false, 102]);
});

test("a silence has moments, too: a link shows a colleague the stall", () => {
  const stream = fileOf(entriesOf([100, 100, 120_000]));
  const { replay, position } = standing(stream);
  replay.seekTime(10_200 + 90_000);
  assert.deepEqual(position.value, { seq: 3, after: 90_000 });
  const colleague = standing(stream, position.value).replay;
  assert.deepEqual([colleague.time.value, colleague.seq.value, colleague.shown.phase.value], [100_200, 3, "stalled"]);
  colleague.seekSeq(3);
  assert.equal(colleague.shown.phase.value, "generating");
});

test("times beyond both ends are the ends", () => {
  const { replay, position } = standing(fileOf(entriesOf([100])));
  replay.seekTime(0);
  assert.deepEqual(position.value, { seq: 1, after: 0 });
  replay.seekTime(1e15);
  assert.deepEqual(position.value, { seq: 3, after: 0 });
});

test("the address has the last word while it plays, and a page that is left keeps its own address", () => {
  const { replay, position, pass, told, detach } = standing(fileOf(entriesOf([1000, 1000, 1000])));
  replay.toggle();
  pass(600);
  position.value = { seq: 4, after: 0 };
  assert.deepEqual([replay.playing.value, replay.seq.value], [false, 4]);
  replay.toggle();
  pass(100);
  const before = told.length;
  detach();
  pass(1000);
  assert.deepEqual([replay.playing.value, told.length], [false, before]);
});

test("a stream that goes on: the moment stays what it was, and a replay that catches up goes on with it", async () => {
  const entries = entriesOf(Array.from({ length: 20 }, () => 100));
  let more: (() => void) | undefined;
  const transport: Transport = async function* ({ agent, task }): AsyncGenerator<Told> {
    yield { kind: "opened", stream: { agent, task, opening: "fresh", cursor: "log.0" } };
    yield { kind: "entries", entries: entries.slice(0, 10), cursor: "log.10" };
    await new Promise<void>((resolve) => (more = resolve));
    yield { kind: "entries", entries: entries.slice(10, 20), cursor: "log.20" };
    await new Promise<void>((resolve) => (more = resolve));
  };
  const stream = openStream("agent", "goes-on", { transport });
  const come = (count: number): Promise<void> =>
    new Promise((resolve) => {
      const stop = stream.version.subscribe(() => {
        if (stream.entries.length < count) return;
        resolve();
        queueMicrotask(() => stop());
      });
    });
  await come(10);
  const { replay, pass, position } = standing(stream);
  replay.seekSeq(5);
  assert.deepEqual(seqs(replay), [1, 2, 3, 4, 5]);
  more?.();
  await come(20);
  assert.deepEqual(seqs(replay), [1, 2, 3, 4, 5]);
  assert.equal(replay.to.value, entries[19]?.at);
  replay.toggle();
  pass(5000);
  assert.deepEqual([replay.playing.value, position.value, replay.shown.entries.length], [false, undefined, 20]);
  stream.close();
});
