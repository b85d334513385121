import { type Signal, signal } from "@preact/signals";
import type { Liveness, Phase } from "../../../src/lib/liveness/liveness.ts";
import type { Task, TaskState } from "../../../src/lib/model/a2a.ts";
import type { Figures } from "./figures.ts";
import type { Reading } from "./reading.ts";
import type { Connection, WireFacts } from "./stream.ts";

/** A reading as views see it. */
export interface Shown {
  readonly version: Signal<number>;
  readonly generation: Signal<number>;
  readonly context: Signal<string>;
  readonly snapshot: Signal<Task | undefined>;
  readonly before: Signal<Figures>;
  readonly state: Signal<TaskState | undefined>;
  readonly phase: Signal<Phase>;
  readonly liveness: Signal<Liveness>;
  readonly connection: Signal<Connection>;
  readonly wire: Signal<WireFacts>;
}

/** Signals of a reading: `tell` after entries were taken, `tick` when only time has passed. */
export function createSignals(
  reading: Reading,
  start: Connection,
): { readonly shown: Shown; readonly connection: Signal<Connection>; tell(): void; tick(at: number): void } {
  const connection = signal(start);
  const shown: Shown = {
    version: signal(0),
    generation: signal(0),
    context: signal(""),
    snapshot: signal<Task | undefined>(undefined),
    before: signal(reading.before),
    state: signal<TaskState | undefined>(undefined),
    phase: signal<Phase>("queued"),
    liveness: signal(reading.liveness),
    connection,
    wire: signal(reading.wire),
  };
  const judge = (): void => {
    shown.liveness.value = reading.liveness;
    shown.phase.value = reading.phase;
  };
  return {
    shown,
    connection,
    tell() {
      judge();
      shown.generation.value = reading.generation;
      shown.context.value = reading.context;
      shown.snapshot.value = reading.snapshot;
      shown.before.value = reading.before;
      shown.version.value += 1;
      shown.state.value = reading.state();
      shown.wire.value = reading.wire;
    },
    tick(at) {
      const before = reading.phase;
      reading.tick(at);
      // The clock alone moves `at` in it: views that show seconds have a clock of their own.
      if (reading.phase !== before) judge();
    },
  };
}
