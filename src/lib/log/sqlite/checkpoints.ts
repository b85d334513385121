import { Worker } from "node:worker_threads";
import type { FailPoint } from "./group.ts";

/** Keeps the WAL short without holding up the event loop. */
export interface Checkpoints {
  /** Told of each commit: about how many bytes it added to the WAL. */
  onCommit(bytes: number): void;
  close(): Promise<void>;
}

/** What checkpoints need. */
export interface CheckpointOptions {
  readonly path: string;
  /** A checkpoint is begun after so many bytes. Default 24 MiB: most of what the blocks wrote is deleted and written over by then, and need not be moved. */
  readonly everyBytes?: number;
  /** Holds commits back and lets them go on: needed for a moment when the WAL has grown because there was never a pause. */
  readonly pause: () => void;
  readonly resume: () => void;
  readonly failPoint?: ((name: FailPoint) => void) | undefined;
}

/** A WAL of so many pages is restarted even if writers must wait for it: 64 MiB. */
const LONG_WAL_PAGES = 16_384;

/** Makes the checkpoints of one database. The thread starts with the first one; it does not keep the process alive. */
export function createCheckpoints({ path, everyBytes = 24 * 1024 * 1024, pause, resume, failPoint }: CheckpointOptions): Checkpoints {
  let worker: Worker | undefined;
  let written = 0;
  let busy = false;
  let closed = false;

  function ask(mode: "PASSIVE" | "RESTART"): void {
    busy = true;
    if (mode === "RESTART") pause();
    worker ??= start();
    worker.postMessage(mode);
    failPoint?.("during-checkpoint");
    worker.once("message", (pages: number) => {
      busy = false;
      if (mode === "RESTART") resume();
      else if (pages > LONG_WAL_PAGES && !closed) ask("RESTART");
    });
  }

  function start(): Worker {
    // TypeScript does not rewrite this path: from source it is a .ts file, from dist a .js file.
    const file = import.meta.url.endsWith(".ts") ? "./checkpointer.ts" : "./checkpointer.js";
    // It makes next to no garbage: a small young generation is enough.
    const thread = new Worker(new URL(file, import.meta.url), { workerData: path, resourceLimits: { maxYoungGenerationSizeMb: 1 } });
    thread.unref();
    thread.once("exit", () => {
      worker = undefined;
      busy = false;
      resume();
    });
    // A thread that fails ends; the next checkpoint starts another.
    thread.on("error", () => undefined);
    return thread;
  }

  return {
    onCommit(bytes) {
      written += bytes;
      if (written < everyBytes || busy || closed) return;
      written = 0;
      ask("PASSIVE");
    },
    async close() {
      closed = true;
      await worker?.terminate();
    },
  };
}
