import type { Json, Message, Part, StreamResponse, TaskArtifactUpdateEvent, TaskState } from "../model/a2a.ts";
import type { Audience } from "../model/entry.ts";
import { type ExtensionData, readExtension } from "../model/extension.ts";
import { isObject } from "../model/json.ts";
import { type BridgeEvent, FAILED, type TurnEnd, type WaitingCall } from "./bridge-event.ts";

/** Turns the entries of one turn into what bridges say: a pure machine, one entry in, its events out. */
export interface Translator {
  /** The events of the next entry, its event decoded and its stored bytes presented. Nothing after an `end`. */
  next(entry: { readonly seq: number; readonly audience: Audience }, event: StreamResponse): readonly BridgeEvent[];
}

/** The task that is read. */
export interface TranslatorOptions {
  /** A full artifact begins anew (`maxArtifactBytes: roll`): then a replacement goes on, and does not take back. */
  readonly rolls: boolean;
  /** Up to this entry a task that waits for its client only pauses: it went on since. Default 0. */
  readonly pausesUntil?: number;
}

interface Block {
  readonly kind: "text" | "reasoning";
  readonly id: string;
  /** What it belongs to: an artifact, or a child's words. */
  readonly of: string;
}

/** A translator at the beginning of a turn. */
export function createTranslator({ rolls, pausesUntil = 0 }: TranslatorOptions): Translator {
  const out: BridgeEvent[] = [];
  /** Open blocks by child; "" is the agent itself. */
  const blocks = new Map<string, Block>();
  /** Open children by path, and how often each path was called. */
  const children = new Map<string, string>();
  const calls = new Map<string, number>();
  /** Artifacts of this turn that readers have something of. */
  const shown = new Set<string>();
  let count = 0;
  let said = false;
  let over = false;
  /** What the user is to authorise, while the task waits for it. */
  let asked: { readonly id: string; readonly message: string } | undefined;
  /** Between a new attempt and its WORKING artifacts go back to what they were before the turn: no news. */
  let restoring = false;

  const at = (child: string): { readonly child?: string } => (child === "" ? {} : { child });
  const close = (child: string): void => {
    const block = blocks.get(child);
    if (block === undefined) return;
    blocks.delete(child);
    out.push({ kind: `${block.kind}-end`, id: block.id, ...at(child) });
  };
  /** Says `delta` in the block that is open for it, or in a new one. */
  const say = (kind: Block["kind"], of: string, child: string, delta: string): void => {
    if (delta === "") return;
    let block = blocks.get(child);
    if (block?.kind !== kind || block.of !== of) {
      close(child);
      count += 1;
      block = { kind, of, id: `${kind}-${count}` };
      blocks.set(child, block);
      out.push({ kind: `${kind}-start`, id: block.id, ...at(child) });
    }
    said = true;
    out.push({ kind, id: block.id, delta, ...at(child) });
  };
  const endChild = (path: string): void => {
    const id = children.get(path);
    if (id === undefined) return;
    children.delete(path);
    close(id);
    out.push({ kind: "child-end", id, name: pathNames(path).at(-1) ?? "" });
  };
  /** Ends the children below `path`, deepest first. */
  const endBelow = (path: string): void => {
    for (const open of [...children.keys()].reverse()) if (isBelow(open, path)) endChild(open);
  };
  /** The invocation that speaks under `path`: it and those above it are open from now on. */
  const childOf = (names: readonly string[] | undefined): string => {
    let parent = "";
    for (let depth = 1; depth <= (names?.length ?? 0); depth += 1) {
      const path = pathText(names?.slice(0, depth) ?? []);
      let id = children.get(path);
      if (id === undefined) {
        const times = (calls.get(path) ?? 0) + 1;
        calls.set(path, times);
        id = `${pathNames(path).join("/")}#${times}`;
        children.set(path, id);
        out.push({ kind: "child-start", id, name: names?.[depth - 1] ?? "", ...(parent !== "" && { parent }) });
      }
      parent = id;
    }
    return parent;
  };
  /** Nothing waits for its user any more. */
  const goOn = (): void => {
    if (asked === undefined) return;
    out.push({ kind: "auth", ...asked, waits: false });
    asked = undefined;
  };
  /** What was said stands: whatever comes is another turn's, which alone may be started over. */
  const rest = (): void => {
    said = false;
    shown.clear();
  };
  const finish = (end: TurnEnd): void => {
    endBelow("");
    close("");
    goOn();
    over = true;
    out.push({ kind: "end", end });
  };

  const artifact = ({ artifact: piece, append }: TaskArtifactUpdateEvent): void => {
    const id = piece.artifactId;
    if (restoring) return;
    if (append !== true && shown.has(id) && !rolls) return finish({ outcome: "superseded" });
    endBelow("");
    for (const part of piece.parts) {
      if (part.text === "" && piece.parts.length === 1) continue;
      shown.add(id);
      if (part.text !== undefined) say("text", id, "", part.text);
      else other(part);
    }
  };
  const other = (part: Part): void => {
    close("");
    count += 1;
    said = true;
    const made = fileOrData(part, count);
    if (made !== undefined) out.push(made);
  };

  const aside = (data: ExtensionData): void => {
    switch (data.kind) {
      case "attempt":
        restoring = true;
        return said ? finish({ outcome: "superseded" }) : undefined;
      case "text":
        return say("text", "", childOf(data.path), data.text);
      case "reasoning":
        return data.text === undefined ? undefined : say("reasoning", "", childOf(data.path), data.text);
      case "tool-call": {
        const child = childOf(data.path);
        close(child);
        said = true;
        out.push({ ...data, ...callOf(data.path, data.call), ...at(child) } satisfies BridgeEvent & { kind: "tool-call" });
        return;
      }
      case "tool-result": {
        const child = childOf(data.path);
        close(child);
        endBelow(pathText(data.path ?? []));
        out.push({ ...data, ...callOf(data.path, data.call), ...at(child) } satisfies BridgeEvent & { kind: "tool-result" });
        return;
      }
      default: {
        if (data.kind === "delegation" && data.via !== "handoff") childOf(data.path);
        const note = noteOf(data);
        if (note !== undefined) out.push(note);
      }
    }
  };

  const status = (seq: number, state: TaskState, message: Message | undefined, data: ExtensionData | undefined): void => {
    const text = textOf(message);
    if (seq <= pausesUntil && state === "TASK_STATE_INPUT_REQUIRED") {
      endBelow("");
      if (waitingCalls(message).length === 0) say("text", "status", "", text);
      close("");
      rest();
      return void out.push({ kind: "pause" });
    }
    switch (state) {
      case "TASK_STATE_SUBMITTED":
        return;
      case "TASK_STATE_WORKING":
        restoring = false;
        goOn();
        return text === "" ? undefined : void out.push({ kind: "status", text });
      case "TASK_STATE_COMPLETED":
        endBelow("");
        for (const part of message?.parts ?? []) {
          if (part.text !== undefined) say("text", "status", "", part.text);
          else other(part);
        }
        return finish({ outcome: "completed" });
      case "TASK_STATE_CANCELED":
        return finish({ outcome: "canceled" });
      case "TASK_STATE_FAILED":
      case "TASK_STATE_REJECTED":
        return finish(failureOf(state, text, data));
      case "TASK_STATE_INPUT_REQUIRED": {
        const approvals = waitingCalls(message);
        if (approvals.length === 0) say("text", "status", "", text);
        return finish({ outcome: "input", message: text, approvals });
      }
      case "TASK_STATE_AUTH_REQUIRED":
        endBelow("");
        say("text", "status", "", text);
        close("");
        rest();
        count += 1;
        asked = { id: `auth-${count}`, message: text };
        return void out.push({ kind: "auth", ...asked, waits: true });
    }
  };

  return {
    next(entry, event) {
      out.length = 0;
      if (over || entry.audience === "internal") return [];
      if ("artifactUpdate" in event) artifact(event.artifactUpdate);
      else if ("statusUpdate" in event) {
        const data = readExtension(event);
        if (entry.audience === "public") status(entry.seq, event.statusUpdate.status.state, event.statusUpdate.status.message, data);
        else if (data !== undefined) aside(data);
      }
      return [...out];
    },
  };
}

function fileOrData(part: Part, count: number): BridgeEvent | undefined {
  const { mediaType = "application/octet-stream", filename, data } = part;
  const url = part.raw === undefined ? part.url : `data:${mediaType};base64,${part.raw}`;
  if (url !== undefined) return { kind: "file", id: `file-${count}`, url, mediaType, ...(filename !== undefined && { filename }) };
  return data === undefined ? undefined : { kind: "data", id: `data-${count}`, value: data };
}

/** What stands beside the answer and opens nothing. */
function noteOf(data: ExtensionData): BridgeEvent | undefined {
  switch (data.kind) {
    case "usage":
      return { kind: "usage", usage: data.usage };
    case "note":
      return { kind: "note", name: data.name, value: data.value as Json };
    case "delegation":
    case "liveness":
      return { kind: "note", name: data.kind, value: data as unknown as Json };
    default:
      return undefined;
  }
}

function failureOf(state: TaskState, text: string, data: ExtensionData | undefined): TurnEnd {
  const failure = data?.kind === "failure" ? data : undefined;
  const refused = state === "TASK_STATE_REJECTED";
  const message = text === "" ? (refused ? "The agent refused the task." : "The agent failed.") : text;
  const code = failure?.reason ?? failure?.code ?? (refused ? "rejected" : FAILED);
  return { outcome: "failed", code, message, retryable: failure?.retryable ?? false };
}

/** A call's id for a whole turn: an engine's own is unique in one agent's run only. */
function callOf(path: readonly string[] | undefined, call: string): { readonly id: string } {
  return { id: path === undefined || path.length === 0 ? call : `${path.join("/")}/${call}` };
}

function pathText(names: readonly string[]): string {
  return names.map((name) => `${encodeURIComponent(name)}/`).join("");
}

function pathNames(path: string): readonly string[] {
  return path.split("/").slice(0, -1).map(decodeURIComponent);
}

function isBelow(path: string, above: string): boolean {
  return path.length > above.length && path.startsWith(above);
}

/** The text of a message, its parts one below the other. */
export function textOf(message: Pick<Message, "parts"> | undefined): string {
  return (message?.parts ?? []).flatMap(({ text }) => (text === undefined ? [] : [text])).join("\n");
}

/** The calls that a status message asks an approval for: what the scribe has put in as data. */
export function waitingCalls(message: Message | undefined): readonly WaitingCall[] {
  return (message?.parts ?? []).flatMap(({ data }) => {
    if (!isObject(data) || !Array.isArray(data["approvals"])) return [];
    return (data["approvals"] as readonly Json[]).flatMap((each) => {
      if (!isObject(each)) return [];
      const { call, name, arguments: given } = each;
      if (typeof call !== "string") return [];
      return [{ id: call, name: typeof name === "string" ? name : "tool", arguments: typeof given === "string" ? given : JSON.stringify(given ?? {}) }];
    });
  });
}
