import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";

/**
 * Keeps the heap small while long entries flow. V8 lets garbage grow to several times what is in use before it collects, and entries of 30 kB make 1 GB of it
 * in seconds; tokens do not, and would pay for early collections with twice the CPU. So V8's memory saver is on only while it is worth it.
 */
export interface HeapSaver extends Disposable {
  /** Told of long entries that are written or read, in UTF-16 units. */
  onLongEntries(length: number): void;
}

/** The saver is on from so much text of long entries within a period, in UTF-16 units, until a period with less. */
const MUCH = 512 * 1024;
const PERIOD_MS = 1000;
/** While it is on, young garbage is collected after so much more, before the young generation grows; every fourth time the old is too, beside the work. */
const EACH = 512 * 1024;
const OLD_EVERY = 4;

/** Flags with which somebody has chosen how the heap is to be: then it is left to them. */
const CHOSEN = /--(?:no-)?(?:memory-saver-mode|optimize-for-size|max-(?:old-space|semi-space|heap)-size|heap-growing-percent)\b/;

/** What it does to V8, which tests take the place of. */
export interface HeapSwitch {
  save(on: boolean): void;
  collect(what: "young" | "all"): void;
}

/** A saver for one store. It holds no process alive. `now` is in ms. */
export function createHeapSaver(options: { readonly now?: () => number; readonly heap?: HeapSwitch } = {}): HeapSaver {
  const { now = () => performance.now(), heap = createV8Switch() } = options;
  let from = -Infinity;
  let length = 0;
  let since = 0;
  let collections = 0;
  let timer: NodeJS.Timeout | undefined;

  function stop(): void {
    clearInterval(timer);
    timer = undefined;
    heap.save(false);
  }

  function onPeriod(): void {
    if (length < MUCH) stop();
    length = 0;
  }

  return {
    onLongEntries(added) {
      if (timer === undefined && now() - from >= PERIOD_MS) {
        from = now();
        length = 0;
      }
      length += added;
      if (timer !== undefined) {
        since += added;
        if (since < EACH) return;
        since = 0;
        collections += 1;
        heap.collect(collections % OLD_EVERY === 0 ? "all" : "young");
        return;
      }
      if (length < MUCH) return;
      heap.save(true);
      timer = setInterval(onPeriod, PERIOD_MS);
      timer.unref();
    },
    [Symbol.dispose]() {
      if (timer !== undefined) stop();
    },
  };
}

/**
 * Gives the memory back that loading a program took and that it no longer needs: V8 lets the young generation grow to 16 MB meanwhile, and does not shrink it by
 * itself while there is work. For a process that is all ours, before it serves: it stops everything for 70 ms. Nothing where V8's flags say how the heap is to be.
 */
export function trimHeap(): void {
  // As V8 does before it gives up for want of memory: the one collection that also shrinks the young generation.
  openCollector()?.({ type: "major", execution: "sync", flavor: "last-resort" });
}

/** V8 of this process; nothing where its flags say how the heap is to be. */
function createV8Switch(): HeapSwitch {
  const gc = openCollector();
  if (gc === undefined) return { save: () => undefined, collect: () => undefined };
  const collect: HeapSwitch["collect"] = (what) => gc(what === "young" ? { type: "minor", execution: "sync" } : { type: "major", execution: "async" });
  return {
    collect,
    save(on) {
      setFlagsFromString(on ? "--memory-saver-mode" : "--no-memory-saver-mode");
      // How far the heap may grow was decided at the last collection.
      if (on) collect("all");
    },
  };
}

/** V8's `gc`, which Node does not offer; absent where flags say how the heap is to be. */
function openCollector(): ((options: CollectOptions) => void) | undefined {
  if (CHOSEN.test([...process.execArgv, process.env["NODE_OPTIONS"] ?? ""].join(" ").replaceAll("_", "-"))) return undefined;
  setFlagsFromString("--expose-gc");
  const gc = runInNewContext("gc") as (options: CollectOptions) => void;
  setFlagsFromString("--no-expose-gc");
  return gc;
}

interface CollectOptions {
  readonly type: "major" | "minor";
  readonly execution: "async" | "sync";
  readonly flavor?: "last-resort";
}
