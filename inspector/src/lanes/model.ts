import { readSignals } from "../../../src/lib/liveness/read-signals.ts";
import { resolveThresholds, type Thresholds } from "../../../src/lib/liveness/thresholds.ts";
import type { Part, StreamResponse, TaskState } from "../../../src/lib/model/a2a.ts";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { messageOf } from "../../../src/lib/model/errors.ts";
import { type ExtensionData, readExtension, toMetadata } from "../../../src/lib/model/extension.ts";
import { verdictAfter } from "../state/verdict.ts";
import { stateName } from "../state/words.ts";
import { createLane, type Lane, type LaneWriter } from "./lane.ts";
import { type LaneLimits, MAX_CHILD_LANES, MAX_TOLD_CALLS } from "./limits.ts";
import { LIVE_MS } from "./skew.ts";

/** Which stream entries are of. */
export interface StreamId {
  readonly agent: string;
  readonly task: string;
  readonly context: string;
}

/**
 * The lanes of any number of streams, from their entries as they come: O(1) for each entry. A task's agent has a lane, each child agent (by its `path`) one under it, an agent
 * that it hands off to likewise; the task of a delegation stands under the lane that delegated, whether its entries come here or not. Times are the entries' `at`:
 * for display.
 */
export interface Lanes {
  /** Takes the entries that follow those it has of the stream; repeats are ignored. */
  add(stream: StreamId, entries: readonly StreamEntry[]): void;
  /**
   * Lets time pass without entries: finds slowness and stalls up to `now`, by the clock of `at`. A stream of which old entries came within the last `settleMs`
   * (default 0) is left alone: it is being caught up with, and what looks like silence may be what has not come yet.
   */
  advance(now: number, settleMs?: number): void;
  /** Removes all lanes of a task. */
  remove(task: string): void;
  /** Children below their parents, tasks in the order in which they began. The same array until a lane comes or goes. */
  list(): readonly LaneRow[];
  /** Counts up with every change. */
  readonly version: number;
  /** The times of the first and the last entry of all that are here; undefined without any. */
  readonly extent: Extent | undefined;
}

/** A stretch of time, ms since the epoch. */
export interface Extent {
  readonly from: number;
  readonly to: number;
}

/** A lane and how deep it stands. */
export interface LaneRow {
  readonly lane: Lane;
  readonly depth: number;
}

interface Call {
  readonly path: string;
  readonly at: number;
  child: LaneWriter | undefined;
}

interface TaskLanes {
  readonly root: LaneWriter;
  /** By path and by who was handed to. */
  readonly children: Map<string, LaneWriter>;
  /** Who answers: the agent itself, or the last that it handed off to. */
  speaker: LaneWriter;
  lastSeq: number;
  /** When its newest entry was written, and when entries were last seen to have come, by the clock of `at`; undefined: since the last `advance`. */
  lastAt: number;
  cameAt: number | undefined;
  /** The times of its first and its last entry here. */
  extent: Extent | undefined;
  /** Open tool calls by `path call`: when they began, and the child that each started. */
  readonly calls: Map<string, Call>;
  /** Calls and results that were told: twice where one is for the owner only. */
  readonly toldCalls: Set<string>;
}

/** How lanes judge, and how much they keep. */
export interface LanesOptions {
  readonly thresholds?: Partial<Thresholds>;
  /** What each lane keeps; those of a task's lanes. */
  readonly limits?: LaneLimits;
}

/** No lanes yet. */
export function createLanes(options: LanesOptions = {}): Lanes {
  const thresholds = resolveThresholds(options.thresholds);
  const tasks = new Map<string, TaskLanes>();
  /** The lane under which a delegated task stands, told before or after its entries come. */
  const parents = new Map<string, string>();
  let rows: readonly LaneRow[] | undefined;
  let version = 0;
  let extent: Extent | undefined;

  const open = (stream: StreamId, at: number, isRemote: boolean): TaskLanes => {
    const { agent, task, context } = stream;
    const parent = parents.get(task);
    const under = parent === undefined ? {} : { parent };
    const root = createLane({ ...options, ...under, id: task, agent, task, context, path: [], at, begins: "queued", thresholds, isRemote });
    const lanes = beginTask(root, at);
    tasks.set(task, lanes);
    rows = undefined;
    return lanes;
  };
  const childOf = (lanes: TaskLanes, key: string, parent: LaneWriter, agent: string, path: readonly string[], at: number): LaneWriter => {
    const known = lanes.children.get(key);
    if (known !== undefined || lanes.children.size >= MAX_CHILD_LANES) return known ?? parent;
    const { task, context } = lanes.root.lane;
    const child = createLane({ ...options, id: `${task}/${key}`, agent, task, context, path, at, begins: "prefill", thresholds, parent: parent.lane.id });
    lanes.children.set(key, child);
    rows = undefined;
    return child;
  };
  /** The lane at `path`, and those on the way to it. */
  const laneAt = (lanes: TaskLanes, path: readonly string[], at: number): LaneWriter => {
    let lane = lanes.root;
    for (const [index, agent] of path.entries()) {
      const steps = path.slice(0, index + 1);
      lane = childOf(lanes, keyOf(steps), lane, agent, steps, at);
    }
    return lane;
  };

  const onChild = (lanes: TaskLanes, entry: StreamEntry, data: ExtensionData, path: readonly string[]): void => {
    const { at, seq } = entry;
    const isCalled = data.kind === "delegation" && data.via === "tool" && data.to === path.at(-1);
    const call = isCalled ? callOf(lanes, path) : undefined;
    // The delegation is told with the child's first words; it has worked since it was called.
    const since = call?.at ?? at;
    const lane = laneAt(lanes, path, since);
    for (let depth = 0; depth < path.length; depth += 1) {
      const above = depth === 0 ? lanes.speaker : laneAt(lanes, path.slice(0, depth), at);
      above.signal(at, seq, [{ kind: "child" }]);
    }
    if (lanes.speaker !== lanes.root) lanes.root.signal(at, seq, [{ kind: "child" }]);
    if (isCalled) {
      if (call !== undefined) call.child = lane;
      return lane.signal(since, seq, [{ kind: "working" }]);
    }
    const isWord = data.kind === "text" || data.kind === "reasoning";
    lane.signal(at, seq, isWord ? [{ kind: "content" }] : readSignals(asOwn(entry.event, data)));
    if (isWord) lane.tick(at, seq, data.kind === "text" ? "content" : "reasoning");
    noteData(lanes, lane, entry, data, path);
  };

  const noteData = (lanes: TaskLanes, lane: LaneWriter, { at, seq }: StreamEntry, data: ExtensionData, path: readonly string[]): void => {
    switch (data.kind) {
      case "tool-call": {
        const key = `${keyOf(path)} ${data.call}`;
        if (lanes.calls.has(key) || lanes.toldCalls.has(key)) return;
        lanes.calls.set(key, { path: keyOf(path), at, child: undefined });
        return lane.mark({ at, seq, kind: "tool", label: data.name });
      }
      case "tool-result": {
        const key = `${keyOf(path)} ${data.call}`;
        if (lanes.toldCalls.has(key)) return;
        lanes.calls.get(key)?.child?.rest(at);
        lanes.calls.delete(key);
        lanes.toldCalls.add(key);
        if (data.failed) lane.mark({ at, seq, kind: "tool-failed", label: `${data.name} failed` });
        return;
      }
      case "delegation":
        if (data.via === "a2a" && data.task !== undefined) adopt(data.task, lane, data.to, at);
        if (data.via === "handoff" && path.length === 0) {
          lane.rest(at);
          const next = childOf(lanes, `→${data.to}`, lanes.root, data.to, [data.to], at);
          next.signal(at, seq, [{ kind: "working" }]);
          lanes.speaker = next;
        }
        return lane.mark({ at, seq, kind: "delegation", label: `${data.via === "handoff" ? "hands off to" : "asks"} ${data.to}` });
      case "attempt":
        return lane.mark({ at, seq, kind: "attempt", label: `attempt ${data.attempt}: ${data.reason}` });
      case "note":
        return lane.mark({ at, seq, kind: "note", label: data.name });
      case "liveness":
        return markLiveness(lane, at, seq, data);
      default:
        return;
    }
  };

  const adopt = (task: string, parent: LaneWriter, agent: string, at: number): void => {
    if (task === parent.lane.task) return;
    parents.set(task, parent.lane.id);
    const known = tasks.get(task);
    if (known === undefined) open({ agent, task, context: "" }, at, true);
    else known.root.adopt(parent.lane.id);
    rows = undefined;
  };

  const onOwn = (lanes: TaskLanes, entry: StreamEntry, data: ExtensionData | undefined): void => {
    const { at, seq, event } = entry;
    const signals = readSignals(event);
    if (data?.kind === "turn") lanes.speaker = lanes.root;
    const { root, speaker } = lanes;
    const isAside = data !== undefined && data.kind !== "failure";
    const state = isAside ? undefined : stateOf(event);
    speaker.signal(at, seq, signals);
    // The agent itself waits and ends with the one that speaks for it.
    if (speaker !== root) root.signal(at, seq, state === undefined || state === "TASK_STATE_WORKING" ? [{ kind: "child" }] : signals);
    if (data?.kind === "liveness") speaker.told(at, verdictAfter(undefined, data));
    const word = data?.kind === "reasoning" ? "reasoning" : !isAside && bringsContent(event) ? "content" : undefined;
    if (word !== undefined) speaker.tick(at, seq, word);
    if (isAside) {
      if (data.kind === "input") root.mark({ at, seq, kind: "message", label: "message" });
      return noteData(lanes, speaker, entry, data, []);
    }
    if (state === undefined) return;
    root.setState(state);
    if (state === "TASK_STATE_SUBMITTED") root.mark({ at, seq, kind: "message", label: "message" });
    if (state === "TASK_STATE_INPUT_REQUIRED" || state === "TASK_STATE_AUTH_REQUIRED") root.mark({ at, seq, kind: "asks", label: stateName(state) });
    if (!root.lane.isOver) return;
    root.mark({ at, seq, kind: state === "TASK_STATE_COMPLETED" ? "end" : "failed", label: stateName(state) });
    for (const child of lanes.children.values()) child.end(at);
  };

  const take = (lanes: TaskLanes, entry: StreamEntry): void => {
    const data = readExtension(entry.event);
    const path = data !== undefined && "path" in data && Array.isArray(data.path) ? data.path.map(String) : [];
    if (data !== undefined && path.length > 0) onChild(lanes, entry, data, path);
    else onOwn(lanes, entry, data);
  };

  return {
    add(stream, entries) {
      const [first] = entries;
      if (first === undefined) return;
      const lanes = tasks.get(stream.task) ?? open(stream, first.at, false);
      if (lanes.root.lane.isRemote) {
        lanes.root.setAgent(stream.agent, stream.context);
        rows = undefined;
      }
      for (const entry of entries) {
        if (entry.seq <= lanes.lastSeq) continue;
        lanes.lastSeq = entry.seq;
        lanes.lastAt = entry.at;
        lanes.cameAt = undefined;
        try {
          take(lanes, entry);
        } catch (error) {
          // A file may hold what no server of ours writes: one such entry must not hide the others.
          lanes.root.mark({ at: entry.at, seq: entry.seq, kind: "note", label: `unreadable: ${messageOf(error)}` });
        }
        lanes.extent = join(lanes.extent, { from: entry.at, to: entry.at });
      }
      extent = join(extent, lanes.extent);
      for (const kept of [lanes.calls, lanes.toldCalls, parents]) forgetFirst(kept, MAX_TOLD_CALLS);
      version += 1;
    },
    advance(now, settleMs = 0) {
      for (const lanes of tasks.values()) advanceTask(lanes, now, settleMs);
    },
    remove(task) {
      if (!tasks.delete(task)) return;
      extent = [...tasks.values()].map((left) => left.extent).reduce(join, undefined);
      rows = undefined;
      version += 1;
    },
    list() {
      rows ??= order([...tasks.values()].flatMap(({ root, children }) => [root.lane, ...[...children.values()].map(({ lane }) => lane)]));
      return rows;
    },
    get version() {
      return version;
    },
    get extent() {
      return extent;
    },
  };
}

function beginTask(root: LaneWriter, at: number): TaskLanes {
  const nothing = { lastSeq: 0, cameAt: undefined, extent: undefined };
  return { ...nothing, root, children: new Map(), speaker: root, lastAt: at, calls: new Map(), toldCalls: new Set() };
}

function join(one: Extent | undefined, other: Extent | undefined): Extent | undefined {
  if (one === undefined || other === undefined) return one ?? other;
  return { from: Math.min(one.from, other.from), to: Math.max(one.to, other.to) };
}

function advanceTask(lanes: TaskLanes, now: number, settleMs: number): void {
  lanes.cameAt ??= now;
  if (now - lanes.cameAt < settleMs && now - lanes.lastAt > LIVE_MS) return;
  for (const lane of [lanes.root, ...lanes.children.values()]) lane.advance(now);
}

/** What was added first goes, beyond `most`. */
function forgetFirst(kept: { readonly size: number; keys(): Iterable<string>; delete(key: string): boolean }, most: number): void {
  for (const key of kept.keys()) {
    if (kept.size <= most) return;
    kept.delete(key);
  }
}

function markLiveness(lane: LaneWriter, at: number, seq: number, data: Extract<ExtensionData, { readonly kind: "liveness" }>): void {
  if (data.phase === "stalled") lane.mark({ at, seq, kind: "stalled", label: `stalled: ${Math.round(data.stall.silenceMs)} ms of silence` });
  if (data.phase === "recovered") lane.mark({ at, seq, kind: "recovered", label: `recovered from ${data.from}` });
}

/** The call that started the child at `path`: the newest of its parent that has no child yet. */
function callOf(lanes: TaskLanes, path: readonly string[]): Call | undefined {
  const parent = keyOf(path.slice(0, -1));
  return [...lanes.calls.values()].reverse().find((call) => call.path === parent && call.child === undefined);
}

/** The same event as the child itself would tell it. */
function asOwn(event: StreamResponse, data: ExtensionData): StreamResponse {
  if (!("statusUpdate" in event)) return event;
  const { path: _, ...own } = data as ExtensionData & { readonly path?: readonly string[] };
  return { statusUpdate: { ...event.statusUpdate, metadata: toMetadata(own as ExtensionData) } };
}

function bringsContent(event: StreamResponse): boolean {
  if ("message" in event) return true;
  const parts: readonly Part[] =
    "artifactUpdate" in event ? event.artifactUpdate.artifact.parts : "statusUpdate" in event ? (event.statusUpdate.status.message?.parts ?? []) : [];
  return parts.some((part) => part.text !== "");
}

function stateOf(event: StreamResponse): TaskState | undefined {
  return "task" in event ? event.task.status.state : "statusUpdate" in event ? event.statusUpdate.status.state : undefined;
}

function keyOf(path: readonly string[]): string {
  return path.map((part) => encodeURIComponent(part)).join("/");
}

/** Parents before their children, siblings by their beginning. A parent that is not here, or a circle of them, makes a lane stand at the top. */
function order(lanes: readonly Lane[]): readonly LaneRow[] {
  const ids = new Set(lanes.map(({ id }) => id));
  const children = Map.groupBy(
    [...lanes].sort((a, b) => a.startedAt - b.startedAt),
    ({ parent }) => (parent !== undefined && ids.has(parent) ? parent : ""),
  );
  const rows: LaneRow[] = [];
  const seen = new Set<string>();
  const visit = (lane: Lane, depth: number): void => {
    if (seen.has(lane.id)) return;
    seen.add(lane.id);
    rows.push({ lane, depth });
    for (const child of children.get(lane.id) ?? []) visit(child, depth + 1);
  };
  for (const lane of children.get("") ?? []) visit(lane, 0);
  for (const lane of lanes) visit(lane, 0);
  return rows;
}
