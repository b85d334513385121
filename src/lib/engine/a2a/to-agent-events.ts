import type { Json, JsonObject, Part, StreamResponse, TaskArtifactUpdateEvent, TaskStatusUpdateEvent } from "../../model/a2a.ts";
import { EXTENSION_URI } from "../../model/entry.ts";
import { IasError } from "../../model/errors.ts";
import { type ExtensionData, extensionIn, readExtension } from "../../model/extension.ts";
import { readLiveness } from "../../liveness/read-signals.ts";
import type { AgentEvent } from "../engine.ts";
import { createRepair, isRight } from "../repair.ts";
import { splitArtifact } from "./split-artifact.ts";

/** Turns what a remote agent sends into what an agent does, for one turn. */
export interface Translator {
  /** The events of one remote event; the turn is over when the last of them is `interrupt`, `reply` or `end`. */
  translate(event: StreamResponse): readonly AgentEvent[];
}

/** How the remote agent appears here. */
export interface TranslatorOptions {
  /** How the remote agent is called in paths. */
  readonly name: string;
  /** What to do with a direct message: make it the task's answer, or hand it on as such. */
  readonly replies: "task" | "message";
}

/** A translator for one turn: it remembers which artifacts the turn has opened. */
export function createTranslator(options: TranslatorOptions): Translator {
  const opened = new Set<string>();
  const repair = createRepair();

  function toEvents(event: StreamResponse): readonly AgentEvent[] {
    if ("message" in event) return directMessage(event.message.parts, event.message.metadata);
    if ("artifactUpdate" in event) return artifactEvents(event.artifactUpdate);
    if ("statusUpdate" in event) {
      const data = readExtension(event);
      // What stands beside the answer is left out where it makes no sense: the answer goes on without it.
      const aside = data === undefined || data.kind === "failure" ? undefined : fromExtension(data, options.name)?.filter(isRight);
      return aside ?? statusEvents(event.statusUpdate);
    }
    return [];
  }

  /** Plain text stays text; what has more to it stays an artifact event. The id is the agent's own. */
  function artifactEvents(update: TaskArtifactUpdateEvent): readonly AgentEvent[] {
    const { artifactId } = update.artifact;
    return splitArtifact(update.artifact, update.append === true).map(({ artifact, append }, index, all) => {
      const { name, parts, ...rest } = artifact;
      const text = onlyText(parts);
      const isLast = update.lastChunk === true && index === all.length - 1;
      const opens = !opened.has(artifactId);
      opened.add(artifactId);
      // A text event appends to what this turn has opened, and opens otherwise.
      const isPlain = text !== undefined && text !== "" && append !== opens && Object.keys(rest).length === 1 && !isLast;
      if (isPlain) return { kind: "text", text, artifact: artifactId, ...(name !== undefined && { name }) };
      return { kind: "artifact", artifact, append, ...(isLast && { lastChunk: true }) };
    });
  }

  function directMessage(parts: readonly Part[], metadata: JsonObject | undefined): readonly AgentEvent[] {
    if (options.replies === "message") return [{ kind: "reply", parts, ...(metadata && { metadata }) }];
    // Outputs belong into artifacts (specification 3.7).
    return [...artifactEvents({ taskId: "", contextId: "", artifact: { artifactId: "answer", parts } }), { kind: "end", outcome: "completed" }];
  }

  return { translate: (event) => toEvents(event).map(repair) };
}

function statusEvents(update: TaskStatusUpdateEvent): readonly AgentEvent[] {
  const message = update.status.message?.parts;
  const said = { ...(message && { message }), ...metadataOf(update.metadata) };
  switch (update.status.state) {
    case "TASK_STATE_SUBMITTED":
    case "TASK_STATE_WORKING":
      // That it works is known; what it says is content, in whichever place it stands (SEMANTICS 27).
      return message === undefined ? [] : [{ kind: "status", ...said }];
    case "TASK_STATE_INPUT_REQUIRED":
      return [{ kind: "interrupt", reason: "input", ...(message && { message }) }];
    case "TASK_STATE_AUTH_REQUIRED":
      return [{ kind: "interrupt", reason: "auth", ...(message && { message }) }];
    case "TASK_STATE_COMPLETED":
      return [{ kind: "end", outcome: "completed", ...said }];
    case "TASK_STATE_FAILED":
      return [{ kind: "end", outcome: "failed", ...said }];
    case "TASK_STATE_REJECTED":
      return [{ kind: "end", outcome: "rejected", ...said }];
    case "TASK_STATE_CANCELED":
      throw new IasError("remote-failed", "The remote agent canceled its task.", { reason: "REMOTE_CANCELED", retryable: true });
  }
}

/** What readers of our extension saw of the remote agent, one level down. Its ledger (inputs, turns, checkpoints) is its own; its liveness feeds ours. */
function fromExtension(data: Exclude<ExtensionData, { kind: "failure" }>, name: string): readonly AgentEvent[] | undefined {
  const path = [name, ...("path" in data && Array.isArray(data.path) ? data.path : [])];
  switch (data.kind) {
    case "text":
      return [{ kind: "text", text: data.text, path }];
    case "reasoning":
      return data.text === undefined ? [] : [{ kind: "reasoning", text: data.text, path }];
    case "tool-call":
      // Idempotent to us: a restart of this turn follows the remote task, it calls nothing again.
      return [{ kind: "tool-call", call: data.call, name: data.name, arguments: data.arguments ?? "", idempotent: true, path }];
    case "tool-result":
      return [{ kind: "tool-result", call: data.call, name: data.name, output: data.output ?? "", failed: data.failed, path }];
    case "delegation":
      return [{ kind: "delegation", from: data.from, to: data.to, via: data.via, ...(data.task !== undefined && { task: data.task }), path }];
    case "usage":
      return [{ kind: "usage", usage: readUsage(data.usage), path }];
    case "note":
      return [{ kind: "note", name: data.name, value: data.value as Json, path }];
    case "input":
    case "turn":
    case "checkpoint":
    case "reply":
    case "cancel":
    case "attempt":
      return [];
    case "liveness":
      return readLiveness(data).map((signal) => ({ kind: "liveness", signal }));
    default:
      // A kind of a later version: its status still counts.
      return undefined;
  }
}

function readUsage(usage: JsonObject): Extract<AgentEvent, { kind: "usage" }>["usage"] {
  const count = (name: string): number => (typeof usage[name] === "number" ? usage[name] : 0);
  return { ...usage, inputTokens: count("inputTokens"), outputTokens: count("outputTokens"), totalTokens: count("totalTokens") };
}

/** Metadata as the agent sent it; of our extension's only why it failed. A remote cursor means nothing here. */
function metadataOf(metadata: JsonObject | undefined): { readonly metadata?: JsonObject } {
  const { [EXTENSION_URI]: _, ...rest } = metadata ?? {};
  const own = extensionIn(metadata);
  const kept = own["kind"] === "failure" ? { ...rest, [EXTENSION_URI]: own } : rest;
  return Object.keys(kept).length === 0 ? {} : { metadata: kept };
}

/** The text of a single plain text part. */
function onlyText(parts: readonly Part[]): string | undefined {
  const [part] = parts;
  return parts.length === 1 && part?.text !== undefined && Object.keys(part).length === 1 ? part.text : undefined;
}
