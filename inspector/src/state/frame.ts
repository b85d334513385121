import { batch } from "@preact/signals";

// Many streams, one repaint: whatever is told within a frame is done together, just before the page is drawn.

const waiting = new Set<() => void>();
let asked = false;
/** Without pictures (a hidden tab, a test) a frame comes all the same, but later. */
const HIDDEN_MS = 250;

/** Runs `work` in the next frame, once however often it is asked for; all work of a frame is one change for the views. */
export function onFrame(work: () => void): void {
  waiting.add(work);
  if (asked) return;
  asked = true;
  let done = false;
  const run = (): void => {
    if (done) return;
    done = true;
    clearTimeout(late);
    asked = false;
    const all = [...waiting];
    waiting.clear();
    batch(() => {
      for (const one of all) one();
    });
  };
  const late = setTimeout(run, HIDDEN_MS);
  if (typeof requestAnimationFrame === "function") requestAnimationFrame(run);
}

const TICK_MS = 250;
const members = new Set<() => void>();
let timer: ReturnType<typeof setInterval> | undefined;

/** Calls `tick` four times a second, with those of all other streams in one change, until the returned function is called: silence is found by clocks alone. */
export function onTick(tick: () => void): () => void {
  members.add(tick);
  timer ??= setInterval(() => {
    batch(() => {
      for (const one of members) one();
    });
  }, TICK_MS);
  return () => {
    members.delete(tick);
    if (members.size > 0) return;
    clearInterval(timer);
    timer = undefined;
  };
}

/** The page's clock: ms since the epoch, monotonic while the page is open. */
export function pageNow(): number {
  return performance.timeOrigin + performance.now();
}

/** Waits `ms`, or until `signal` is aborted: then it is over at once, without an error. */
export function pause(ms: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) return resolve();
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener("abort", done);
      resolve();
    };
    const timer = setTimeout(done, ms);
    signal.addEventListener("abort", done);
  });
}
