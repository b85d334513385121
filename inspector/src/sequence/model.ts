import { isTerminal, type Part } from "../../../src/lib/model/a2a.ts";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { cutText } from "../../../src/lib/model/cut-text.ts";
import { type ExtensionData, readExtension } from "../../../src/lib/model/extension.ts";
import { firstIndex } from "../../../src/lib/stream/first-index.ts";
import { partsText } from "../frames/describe.ts";
import { stateName } from "../state/words.ts";

/** Who takes part, left to right in the order of their first appearance. */
export interface Participant {
  readonly id: string;
  readonly name: string;
  readonly kind: "user" | "agent" | "tool";
}

/** One line of the diagram: who told whom what, and the entries that say so. */
export interface Arrow {
  /** Place among the arrows, from 0. */
  readonly index: number;
  readonly from: string;
  readonly to: string;
  readonly kind: "message" | "answer" | "thought" | "call" | "result" | "delegation" | "asks" | "end" | "cancel" | "note";
  readonly label: string;
  readonly isFailure: boolean;
  readonly at: number;
  /** Of the newest of its entries. */
  readonly until: number;
  /** Runs of consecutive seq, in order: an answer of thousand tokens is one arrow. */
  readonly ranges: readonly SeqRange[];
  readonly entries: number;
}

/** From `first` to `last`, both included. */
export interface SeqRange {
  readonly first: number;
  readonly last: number;
}

/** The sequence diagram of one task, from its entries as they come: O(1) for each. */
export interface Sequence {
  /** Takes the next entries; repeats are ignored. */
  add(entries: readonly StreamEntry[]): void;
  readonly participants: readonly Participant[];
  readonly arrows: readonly Arrow[];
  /** Counts up with every change. */
  readonly version: number;
}

type Draft = { -readonly [K in keyof Omit<Arrow, "ranges">]: Arrow[K] } & { ranges: { first: number; last: number }[] };

const MAX_LABEL = 120;

/** An empty diagram of a task of `agent`. */
export function createSequence(agent: string): Sequence {
  const participants: Participant[] = [];
  const known = new Set<string>();
  const arrows: Draft[] = [];
  /** The running answer or thought of each speaker. */
  const running = new Map<string, Draft>();
  /** The call's arrow, by `path call`, and its result's. */
  const calls = new Map<string, Draft>();
  const results = new Map<string, Draft>();
  let speaker = agent;
  let last = 0;
  let version = 0;

  const enter = (kind: Participant["kind"], name: string): string => {
    const id = `${kind}:${name}`;
    if (!known.has(id)) {
      known.add(id);
      participants.push({ id, name, kind });
    }
    return id;
  };
  const user = (): string => enter("user", "user");
  const agentId = (path: readonly string[]): string => enter("agent", path.at(-1) ?? speaker);
  const above = (path: readonly string[]): string => (path.length === 0 ? user() : agentId(path.slice(0, -1)));

  const draw = ({ seq, at }: StreamEntry, kind: Arrow["kind"], from: string, to: string, label: string, isFailure = false): Draft => {
    const arrow: Draft = {
      index: arrows.length,
      kind,
      from,
      to,
      label: clip(label),
      isFailure,
      at,
      until: at,
      ranges: [{ first: seq, last: seq }],
      entries: 1,
    };
    arrows.push(arrow);
    return arrow;
  };
  const join = (arrow: Draft, { seq, at }: StreamEntry): void => {
    const range = arrow.ranges.at(-1);
    if (range !== undefined && range.last === seq - 1) range.last = seq;
    else arrow.ranges.push({ first: seq, last: seq });
    arrow.until = at;
    arrow.entries += 1;
  };
  /** A piece of an answer or a thought goes to the running one; anything else that the same speaker does ends it. */
  const speak = (entry: StreamEntry, kind: "answer" | "thought", from: string, to: string, text: string): void => {
    const one = running.get(from);
    if (one?.kind !== kind || one.to !== to) {
      running.set(from, draw(entry, kind, from, to, text));
      return;
    }
    join(one, entry);
    if (one.label.length < MAX_LABEL) one.label = clip(one.label + text);
  };
  const stop = (from: string): void => void running.delete(from);

  // What is for the owner only is told twice: first without arguments, then with them.
  const onCall = (entry: StreamEntry, data: Extract<ExtensionData, { readonly kind: "tool-call" }>, path: readonly string[]): void => {
    const key = JSON.stringify([path, data.call]);
    const told = calls.get(key);
    const label = callText(data.name, data.arguments);
    stop(agentId(path));
    if (told === undefined) {
      calls.set(key, draw(entry, "call", agentId(path), enter("tool", data.name), label));
      return;
    }
    join(told, entry);
    if (data.arguments !== undefined) told.label = clip(label);
  };
  const onResult = (entry: StreamEntry, data: Extract<ExtensionData, { readonly kind: "tool-result" }>, path: readonly string[]): void => {
    const key = JSON.stringify([path, data.call]);
    const told = results.get(key);
    const said = data.output === "" ? undefined : data.output;
    if (told === undefined) {
      results.set(key, draw(entry, "result", enter("tool", data.name), agentId(path), said ?? (data.failed ? "failed" : "result"), data.failed));
      return;
    }
    join(told, entry);
    if (said !== undefined) told.label = clip(said);
  };

  const onData = (entry: StreamEntry, data: ExtensionData): void => {
    const path = "path" in data && Array.isArray(data.path) ? (data.path as readonly string[]) : [];
    const who = (): string => agentId(path);
    switch (data.kind) {
      case "text":
        return speak(entry, "answer", who(), above(path), data.text);
      case "reasoning":
        return speak(entry, "thought", who(), who(), data.text ?? "");
      case "tool-call":
        return onCall(entry, data, path);
      case "tool-result":
        return onResult(entry, data, path);
      case "delegation": {
        const isChildsOwn = data.via === "tool" && path.at(-1) === data.to;
        const from = agentId(isChildsOwn ? path.slice(0, -1) : path);
        stop(from);
        draw(entry, "delegation", from, enter("agent", data.to), data.via === "handoff" ? "hands off" : data.via === "a2a" ? "asks over A2A" : "asks");
        if (data.via === "handoff" && path.length === 0) speaker = data.to;
        return;
      }
      case "input":
        draw(entry, "message", user(), enter("agent", agent), partsText(data.message.parts));
        return;
      case "cancel":
        draw(entry, "cancel", user(), agentId([]), "cancel");
        return;
      case "turn":
        speaker = agent;
        return;
      case "attempt":
        draw(entry, "note", who(), who(), `attempt ${data.attempt}: ${data.reason}`);
        return;
      case "reply":
        draw(entry, "answer", agentId([]), user(), partsText(data.message.parts));
        return;
      case "liveness":
        if (data.phase === "stalled")
          draw(entry, "note", agentId([]), agentId([]), `stalled after ${Math.round(data.stall.silenceMs / 100) / 10} s of silence`, true);
        return;
      case "note":
        draw(entry, "note", who(), who(), data.name);
        return;
      case "usage":
      case "checkpoint":
      case "failure":
        return;
      default:
        // Of a later version, or of a file that somebody made.
        draw(entry, "note", who(), who(), String((data as { readonly kind: unknown }).kind));
    }
  };

  const onStatus = (entry: StreamEntry, state: string, parts: readonly Part[] | undefined): void => {
    const text = partsText(parts);
    const who = agentId([]);
    if (isTerminal(state as never)) {
      stop(who);
      draw(entry, "end", who, user(), text === "" ? stateName(state) : `${stateName(state)}: ${text}`, state !== "TASK_STATE_COMPLETED");
    } else if (state === "TASK_STATE_INPUT_REQUIRED" || state === "TASK_STATE_AUTH_REQUIRED") {
      stop(who);
      draw(entry, "asks", who, user(), text === "" ? stateName(state) : text);
    } else if (text !== "") speak(entry, "answer", who, user(), text);
  };

  const take = (entry: StreamEntry): void => {
    const { event } = entry;
    if ("task" in event) {
      const messages = event.task.history ?? [];
      for (const { parts, role } of messages)
        draw(
          entry,
          role === "ROLE_USER" ? "message" : "answer",
          role === "ROLE_USER" ? user() : agentId([]),
          role === "ROLE_USER" ? agentId([]) : user(),
          partsText(parts),
        );
      if (messages.length === 0) draw(entry, "message", user(), agentId([]), "a task");
      const { status } = event.task;
      if (status.state !== "TASK_STATE_SUBMITTED" && status.state !== "TASK_STATE_WORKING") onStatus(entry, status.state, status.message?.parts);
    } else if ("message" in event) draw(entry, "answer", agentId([]), user(), partsText(event.message.parts));
    else if ("artifactUpdate" in event) speak(entry, "answer", agentId([]), user(), partsText(event.artifactUpdate.artifact.parts));
    else {
      const data = readExtension(event);
      if (data === undefined || data.kind === "failure") onStatus(entry, event.statusUpdate.status.state, event.statusUpdate.status.message?.parts);
      else onData(entry, data);
    }
  };

  return {
    participants,
    arrows,
    get version() {
      return version;
    },
    add(entries) {
      for (const entry of entries) {
        if (entry.seq <= last) continue;
        last = entry.seq;
        take(entry);
      }
      version += 1;
    },
  };
}

/** The first `most` entries of an arrow, from those of its stream, which are in order: it costs what is found, not what there is. */
export function entriesOf(entries: readonly StreamEntry[], { ranges }: Pick<Arrow, "ranges">, most: number): readonly StreamEntry[] {
  const found: StreamEntry[] = [];
  for (const { first, last } of ranges) {
    let place = firstIndex(entries.length, (index) => (entries[index]?.seq ?? 0) >= first);
    for (; place < entries.length && found.length < most; place += 1) {
      const entry = entries[place];
      if (entry === undefined || entry.seq > last) break;
      found.push(entry);
    }
    if (found.length >= most) break;
  }
  return found;
}

function callText(name: string, args: string | undefined): string {
  return `${name}(${args ?? "…"})`;
}

function clip(text: string): string {
  return cutText(text, MAX_LABEL);
}
