import type { StreamEntry } from "../../../src/lib/model/api.ts";
import type { StreamStore } from "../state/stream.ts";
import { createLanes, type Lanes } from "./model.ts";
import { type EntryClock, clockOf } from "./skew.ts";

/** The streams of a task and of those who work for it, and their lanes. */
export interface Family {
  readonly lanes: Lanes;
  readonly clock: EntryClock;
  /** The task's own stream first. */
  readonly streams: readonly StreamStore[];
  entryOf(task: string, seq: number): StreamEntry | undefined;
  /** Follows the task's stream, and with `find` those of the tasks of other agents that it asked; until the returned function is called. */
  follow(find?: (task: string) => Promise<StreamStore | undefined>): () => void;
}

/** The family of `stream`, followed by nobody yet. */
export function createFamily(stream: StreamStore): Family {
  const lanes = createLanes();
  const clock = clockOf();
  const streams: StreamStore[] = [stream];

  return {
    lanes,
    clock,
    streams,
    entryOf(task, seq) {
      const entries = streams.find((one) => one.task === task)?.entries ?? [];
      const place = seq - (entries[0]?.seq ?? 1);
      return entries[place]?.seq === seq ? entries[place] : entries.find((entry) => entry.seq === seq);
    },
    follow(find) {
      const stops: (() => void)[] = [];
      const asked = new Set([stream.task]);
      let isOver = false;
      /** Tasks of other agents that this one asked: followed too, where this server has them. */
      const adopt = (): void => {
        if (find === undefined) return;
        for (const { lane } of lanes.list()) {
          if (!lane.isRemote || asked.has(lane.task)) continue;
          asked.add(lane.task);
          find(lane.task).then(
            (child) => {
              if (child === undefined) return;
              if (isOver) return child.close();
              stops.push(() => child.close());
              streams.push(child);
              join(child);
            },
            () => {
              // It is on another server: its lane says so.
            },
          );
        }
      };
      const join = (one: StreamStore): void => {
        let index = 0;
        let generation: number | undefined;
        const read = (): void => {
          // After some were let go the rest comes again: lanes take no entry twice.
          if (generation !== one.generation.peek()) index = 0;
          generation = one.generation.peek();
          const more = one.entries.slice(index);
          for (const [offset, entry] of more.entries()) clock.see(entry.at, one.arrivals[index + offset] ?? entry.at);
          index = one.entries.length;
          if (more.length === 0) return;
          lanes.add({ agent: one.agent, task: one.task, context: one.context.peek() }, more);
          adopt();
        };
        stops.push(one.version.subscribe(read));
      };
      join(stream);
      return () => {
        isOver = true;
        for (const stop of stops) stop();
        streams.splice(1);
      };
    },
  };
}

/** The lanes as they were at a moment. */
export interface PastLanes {
  /** As of `time`: of `root` what it has by then, of the others what is not later than that. Silence is found up to `time`. */
  at(root: StreamStore, others: readonly StreamStore[], time: number): Lanes;
}

/** Lanes of moments: a later one costs what came in between, an earlier one all from the beginning. */
export function createPastLanes(): PastLanes {
  let lanes = createLanes();
  let taken = new Map<StreamStore, number>();
  let last = Number.NEGATIVE_INFINITY;
  let generation: number | undefined;

  const read = (stream: StreamStore, until: number): void => {
    const { agent, task, context, entries } = stream;
    const from = taken.get(stream) ?? 0;
    let end = from;
    while (end < entries.length && (entries[end]?.at ?? 0) <= until) end += 1;
    if (end > from) lanes.add({ agent, task, context: context.peek() }, entries.slice(from, end));
    taken.set(stream, end);
  };
  return {
    at(root, others, time) {
      const now = root.generation.peek();
      if (time < last || now !== generation) {
        lanes = createLanes();
        taken = new Map();
        generation = now;
      }
      last = time;
      read(root, Number.POSITIVE_INFINITY);
      for (const one of others) read(one, time);
      lanes.advance(time);
      return lanes;
    },
  };
}
