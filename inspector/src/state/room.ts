import { type ReadonlySignal, signal } from "@preact/signals";

/** Whether there is room for more: who reads waits while there is none. */
export interface Room {
  readonly isFull: ReadonlySignal<boolean>;
  set(isFull: boolean): void;
  /** Until there is room, or `given` is aborted. */
  wait(given: AbortSignal): Promise<void>;
}

/** Room for more. */
export function createRoom(): Room {
  const isFull = signal(false);
  let waiting: (() => void)[] = [];
  return {
    isFull,
    set(next) {
      isFull.value = next;
      if (next) return;
      const all = waiting;
      waiting = [];
      for (const go of all) go();
    },
    async wait(given) {
      if (!isFull.peek() || given.aborted) return;
      await new Promise<void>((resolve) => {
        waiting.push(resolve);
        given.addEventListener("abort", () => resolve(), { once: true });
      });
    },
  };
}
