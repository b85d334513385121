import type { Agent } from "../engine/agent.ts";
import type { AgentEvent, Approval } from "../engine/engine.ts";
import type { Artifact, Json, JsonObject, Part, StreamResponse, TaskState } from "../model/a2a.ts";
import { encodeEvent, EXTENSION_URI, type Audience } from "../model/entry.ts";
import { assertNever, IasError } from "../model/errors.ts";
import type { ExtensionData } from "../model/extension.ts";
import { newId, toTimestamp } from "../model/ids.ts";
import type { Limits } from "../model/limits.ts";
import type { TaskView } from "../task/view.ts";

/** An event before the writer gives it its place. */
export interface Draft {
  readonly audience: Audience;
  readonly event: StreamResponse;
  /** `encodeEvent(event)`, where the scribe knows it already. */
  readonly json?: string;
}

/** Turns what an agent does into entries: pure but for `now` and ids, one scribe a turn. */
export interface Scribe {
  /** The entries of one event; none for an empty one. Throws `too-large` where a limit says fail. */
  write(event: Exclude<AgentEvent, { kind: "interrupt" | "reply" | "end" | "checkpoint" }>): readonly Draft[];
  /** A public status with an optional message of the agent. */
  status(state: TaskState, message?: readonly Part[], metadata?: JsonObject): Draft;
  /** Data of our extension on the present status: no reader without the extension sees it, and it changes nothing. */
  aside(audience: "extension" | "internal", data: ExtensionData): Draft;
  /** The parts of a status message that asks for approvals: a sentence, and the calls as data. */
  approvals(message: readonly Part[] | undefined, approvals: readonly Approval[]): readonly Part[];
  /** Voids what an earlier attempt wrote into an artifact: `before` is the artifact as it was when the turn began. */
  supersede(artifactId: string, before: Artifact | undefined, attempt: number): Draft;
}

export interface ScribeOptions {
  readonly task: string;
  readonly context: string;
  readonly agent: Pick<Agent, "expose" | "maxArtifactBytes">;
  readonly limits: Pick<Limits, "maxEntryBytes">;
  readonly view: TaskView;
  /** Of this turn, from 1: the second turn's answer is the artifact `answer-2`. */
  readonly turn: number;
  readonly now: () => number;
}

/** A scribe for one turn of one task. */
export function createScribe(options: ScribeOptions): Scribe {
  const { task, context, agent, limits, view, now } = options;
  const answer = options.turn > 1 ? `answer-${options.turn}` : "answer";
  /** Artifacts that this turn's attempt has opened: the first piece of any other replaces it, unless the agent appends to a known one. */
  const opened = new Set<string>();

  const artifact = (value: Artifact, append: boolean, lastChunk: boolean | undefined): Draft => ({
    audience: "public",
    event: {
      artifactUpdate: { taskId: task, contextId: context, artifact: value, append, ...(lastChunk !== undefined && { lastChunk }) },
    },
  });
  const aside = (audience: "extension" | "internal", data: ExtensionData): Draft => ({
    audience,
    event: {
      statusUpdate: {
        taskId: task,
        contextId: context,
        status: {
          state: view.fold.status?.state ?? "TASK_STATE_SUBMITTED",
          ...(view.fold.status?.timestamp !== undefined && { timestamp: view.fold.status.timestamp }),
        },
        metadata: { [EXTENSION_URI]: data as unknown as Json },
      },
    },
  });
  /** How large artifacts are with what was drafted here: the view hears of a draft only when it is written. */
  const sizes = new Map<string, number>();
  /** Whether the next chunk of `id` appends; says so to `opened`. A full artifact fails or rolls. */
  const place = (id: string, append: boolean, size: number): boolean => {
    const { limit, policy } = agent.maxArtifactBytes;
    const before = append ? (sizes.get(id) ?? view.fold.artifactSize(id)) : 0;
    const full = append && before + size > limit;
    if (full && policy === "fail") {
      throw new IasError("too-large", `The artifact ${JSON.stringify(id)} would pass maxArtifactBytes (${limit}).`, { reason: "ARTIFACT_TOO_LARGE" });
    }
    opened.add(id);
    sizes.set(id, full ? size : before + size);
    return append && !full;
  };
  /** UTF-16 units of text that fit in one entry in any case. */
  const most = Math.floor(limits.maxEntryBytes / BYTES_PER_UNIT);
  const writeText = (text: string, id: string, name: string | undefined): readonly Draft[] =>
    splitText(text, most).map((piece) => {
      const append = place(id, opened.has(id), piece.length);
      if (append) return appended(id, piece);
      return artifact({ artifactId: id, ...(name !== undefined && { name }), parts: [{ text: piece }] }, append, undefined);
    });
  /** What a token is, nearly always: its JSON is the same but for the text, and encoding only that takes a fifth of the time. */
  let lead = { id: "", json: "" };
  const appended = (id: string, text: string): Draft => {
    const event = { artifactUpdate: { taskId: task, contextId: context, artifact: { artifactId: id, parts: [{ text }] }, append: true } };
    if (lead.id !== id || lead.json === "") {
      const empty = encodeEvent({ artifactUpdate: { ...event.artifactUpdate, artifact: { artifactId: id, parts: [{ text: "" }] } } });
      lead = { id, json: empty.slice(0, -APPENDED_END.length - EMPTY_TEXT.length) };
    }
    return { audience: "public", event, json: lead.json + JSON.stringify(text) + APPENDED_END };
  };

  const status = (state: TaskState, message?: readonly Part[], metadata?: JsonObject): Draft => ({
    audience: "public",
    event: {
      statusUpdate: {
        taskId: task,
        contextId: context,
        status: {
          state,
          timestamp: toTimestamp(now()),
          ...(message !== undefined &&
            message.length > 0 && { message: { messageId: newId(), role: "ROLE_AGENT", taskId: task, contextId: context, parts: message } }),
        },
        ...(metadata !== undefined && { metadata }),
      },
    },
  });

  return {
    aside,
    status,
    approvals(message, approvals) {
      const names = approvals.map((approval) => approval.name).join(", ");
      const lead = message !== undefined && message.length > 0 ? message : [{ text: `Approve ${names}? Answer "approve" or "reject".` }];
      return [...lead, { data: { approvals: approvals as unknown as Json } }];
    },
    supersede(artifactId, before, attempt) {
      const value = before ?? { artifactId, parts: [{ text: "" }], metadata: { [EXTENSION_URI]: { superseded: attempt } } };
      return artifact(value, false, undefined);
    },
    write(event) {
      const path = "path" in event && event.path !== undefined && event.path.length > 0 ? { path: event.path } : undefined;
      switch (event.kind) {
        case "text":
          if (event.text === "") return [];
          if (path !== undefined) return splitText(event.text, most).map((text) => aside("extension", { kind: "text", text, ...path }));
          return writeText(event.text, event.artifact ?? answer, event.name);
        case "artifact": {
          const size = JSON.stringify(event.artifact).length;
          if (size > limits.maxEntryBytes) {
            throw new IasError(
              "too-large",
              `An artifact chunk of ${size} characters passes maxEntryBytes (${limits.maxEntryBytes}); send it in smaller chunks.`,
              { reason: "ENTRY_TOO_LARGE" },
            );
          }
          if (path !== undefined) return [aside("extension", { kind: "note", name: "artifact", value: event.artifact, ...path })];
          const id = event.artifact.artifactId;
          return [artifact(event.artifact, place(id, event.append === true && view.fold.hasArtifact(id), size), event.lastChunk)];
        }
        case "status":
          return [status("TASK_STATE_WORKING", event.message, event.metadata)];
        case "reasoning":
          return splitText(event.text, most).map((text) =>
            aside(agent.expose.reasoning ? "extension" : "internal", { kind: "reasoning", text, size: text.length, ...path }),
          );
        case "tool-call":
          return hideable(
            agent.expose.toolArguments,
            (shown) =>
              aside(shown ? "extension" : "internal", {
                kind: "tool-call",
                call: event.call,
                name: event.name,
                idempotent: event.idempotent ?? false,
                ...path,
                arguments: clip(event.arguments, most),
              }),
            aside("extension", { kind: "tool-call", call: event.call, name: event.name, idempotent: event.idempotent ?? false, ...path }),
          );
        case "tool-result":
          return hideable(
            agent.expose.toolArguments,
            (shown) =>
              aside(shown ? "extension" : "internal", {
                kind: "tool-result",
                call: event.call,
                name: event.name,
                failed: event.failed ?? false,
                ...path,
                output: clip(event.output, most),
              }),
            aside("extension", { kind: "tool-result", call: event.call, name: event.name, failed: event.failed ?? false, ...path }),
          );
        case "delegation":
          return [
            aside("extension", {
              kind: "delegation",
              from: event.from,
              to: event.to,
              via: event.via,
              ...(event.task !== undefined && { task: event.task }),
              ...path,
            }),
          ];
        case "usage":
          return [aside("extension", { kind: "usage", usage: { ...event.usage }, ...path })];
        case "note":
          return [aside("extension", { kind: "note", name: event.name, value: event.value, ...path })];
        default:
          return assertNever(event);
      }
    },
  };
}

/** What is not exposed is written twice: in full for the owner and the inspector, and its bare fact for readers of the extension. */
function hideable(exposed: boolean, full: (shown: boolean) => Draft, bare: Draft): readonly Draft[] {
  return exposed ? [full(true)] : [bare, full(false)];
}

/** How the JSON of an appended piece of text ends, after the text. */
const APPENDED_END = '}]},"append":true}}';
const EMPTY_TEXT = '""';

/** The most bytes that one UTF-16 unit takes as JSON text in UTF-8. */
const BYTES_PER_UNIT = 6;

/** The beginning of a text that fits in one entry, and how much more there was: what a tool takes and gives is shown here, not kept here. */
function clip(text: string, max: number): string {
  if (text.length <= max) return text;
  const begin = splitText(text, Math.max(1, max - 50))[0] ?? "";
  return `${begin}… [${text.length - begin.length} more characters]`;
}

/** Pieces of at most `max` UTF-16 units that do not split a surrogate pair. */
function splitText(text: string, max: number): readonly string[] {
  if (text.length <= max) return [text];
  const pieces: string[] = [];
  for (let from = 0; from < text.length;) {
    let to = Math.min(from + max, text.length);
    const last = text.charCodeAt(to - 1);
    if (to < text.length && last >= 0xd800 && last <= 0xdbff) to -= 1;
    pieces.push(text.slice(from, to));
    from = to;
  }
  return pieces;
}
