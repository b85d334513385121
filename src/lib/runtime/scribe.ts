import type { Agent } from "../engine/agent.ts";
import type { AgentEvent, Approval } from "../engine/engine.ts";
import type { Artifact, Json, JsonObject, Part, TaskState } from "../model/a2a.ts";
import { splitText } from "../model/cut-text.ts";
import { EXTENSION_URI } from "../model/entry.ts";
import { assertNever } from "../model/errors.ts";
import { type ExtensionData, toMetadata } from "../model/extension.ts";
import { newId, toTimestamp } from "../model/ids.ts";
import type { Limits } from "../model/limits.ts";
import { createWholeText } from "../stream/whole-text.ts";
import type { TaskView } from "../task/view.ts";
import { createArtifactDrafts } from "./artifact-drafts.ts";
import { checkEntry } from "./check-entry.ts";
import type { Draft } from "./draft.ts";
import { clipText } from "./text.ts";

/** Turns what an agent does into entries: pure but for `now` and ids, one scribe a turn. */
export interface Scribe {
  /** The entries of one event; none for an empty one. Throws `too-large` where a limit says fail, `engine-failed` for half a character without the other. */
  write(event: Exclude<AgentEvent, { kind: "interrupt" | "reply" | "end" | "checkpoint" | "liveness" }>): readonly Draft[];
  /** A public status with an optional message of the agent. */
  status(state: TaskState, message?: readonly Part[], metadata?: JsonObject): Draft;
  /** Data of our extension on the present status: no reader without the extension sees it, and it changes nothing. */
  aside(audience: "extension" | "internal", data: ExtensionData): Draft;
  /** The parts of a status message that asks for approvals: a sentence, and the calls as data. */
  approvals(message: readonly Part[] | undefined, approvals: readonly Approval[]): readonly Part[];
  /** Throws `engine-failed` where the last piece of a text ended in half a character: to be asked before the turn ends well. */
  checkWhole(): void;
  /** Voids what an earlier attempt wrote into an artifact: `before` is the artifact as it was when the turn began. */
  supersede(artifactId: string, before: Artifact | undefined, attempt: number): Draft;
}

/** The turn that a scribe writes for. */
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

/** The most bytes that one UTF-16 unit takes as JSON text in UTF-8. */
const BYTES_PER_UNIT = 6;

/** Of the arguments of each of very many calls that wait, UTF-16 units. */
const SHORTEST_SHARE = 100;

/** A scribe for one turn of one task. */
export function createScribe(options: ScribeOptions): Scribe {
  const { task, context, agent, limits, view } = options;
  const ids = { taskId: task, contextId: context };
  const answer = options.turn > 1 ? `answer-${options.turn}` : "answer";
  /** UTF-16 units of text that fit in one entry in any case. */
  const most = Math.floor(limits.maxEntryBytes / BYTES_PER_UNIT);
  const whole = createWholeText("refuse");
  const artifacts = createArtifactDrafts({ task, context, maxArtifactBytes: agent.maxArtifactBytes, maxPiece: most, fold: view.fold });

  const aside: Scribe["aside"] = (audience, data) => {
    const { state = "TASK_STATE_SUBMITTED", timestamp } = view.fold.status ?? {};
    const status = { state, ...(timestamp !== undefined && { timestamp }) };
    return { audience, event: { statusUpdate: { ...ids, status, metadata: toMetadata(data) } } };
  };
  const status: Scribe["status"] = (state, message = [], metadata) => {
    const said = message.length > 0 && { message: { messageId: newId(), role: "ROLE_AGENT" as const, ...ids, parts: message } };
    const changed = { state, timestamp: toTimestamp(options.now()), ...said };
    return { audience: "public", event: { statusUpdate: { ...ids, status: changed, ...(metadata !== undefined && { metadata }) } } };
  };
  const pieces = (text: string): readonly string[] => (text === "" ? [] : splitText(text, most));
  /** What is not exposed is written twice: its bare fact for readers of the extension, and in full for the owner and the inspector. */
  const hideable = (bare: ExtensionData, full: ExtensionData): readonly Draft[] =>
    agent.expose.toolArguments ? [aside("extension", full)] : [aside("extension", bare), aside("internal", full)];
  const writeArtifact = (event: Extract<AgentEvent, { kind: "artifact" }>, path: Path): Draft => {
    const id = event.artifact.artifactId;
    const of = path === undefined ? id : [...path.path, id];
    if (event.append !== true) whole.begin("artifact", of);
    const parts = event.artifact.parts.map((part) => (part.text === undefined ? part : { ...part, text: whole.next("artifact", of, part.text) }));
    const artifact = { ...event.artifact, parts };
    const size = checkEntry(limits, artifact, "An artifact chunk", "send it in smaller chunks");
    if (path !== undefined) return aside("extension", { kind: "note", name: "artifact", value: artifact as unknown as Json, ...path });
    return artifacts.chunk(artifact, size, { append: event.append === true, lastChunk: event.lastChunk });
  };
  const writeText = (text: string, event: Extract<AgentEvent, { kind: "text" }>): readonly Draft[] => {
    const id = event.artifact ?? answer;
    const said = whole.next("artifact", id, text);
    return said === "" ? [] : artifacts.text(said, id, event.name);
  };

  return {
    aside,
    status,
    approvals(message = [], approvals) {
      const names = approvals.map((approval) => approval.name).join(", ");
      const lead = message.length > 0 ? message : [{ text: `Approve ${names}? Answer "approve" or "reject".` }];
      // Together they are one entry: of long arguments each shows its beginning, as in `tool-call`.
      const share = Math.max(SHORTEST_SHARE, Math.floor(most / Math.max(1, approvals.length)));
      const shown = approvals.map((approval) => ({ ...approval, arguments: clipText(approval.arguments, share) }));
      return [...lead, { data: { approvals: shown satisfies readonly Approval[] as unknown as Json } }];
    },
    checkWhole: () => whole.finish(),
    supersede(artifactId, before, attempt) {
      return artifacts.replacement(before ?? { artifactId, parts: [{ text: "" }], metadata: { [EXTENSION_URI]: { superseded: attempt } } });
    },
    write(event) {
      const path: Path = "path" in event && event.path !== undefined && event.path.length > 0 ? { path: event.path } : undefined;
      switch (event.kind) {
        case "text":
          if (event.text === "") return [];
          if (path === undefined) return writeText(event.text, event);
          return pieces(whole.next("text", path.path, event.text)).map((text) => aside("extension", { kind: "text", text, ...path }));
        case "artifact":
          return [writeArtifact(event, path)];
        case "status":
          return [status("TASK_STATE_WORKING", event.message, event.metadata)];
        case "reasoning":
          return pieces(whole.next("reasoning", path?.path ?? "", event.text)).map((text) =>
            aside(agent.expose.reasoning ? "extension" : "internal", { kind: "reasoning", text, size: text.length, ...path }),
          );
        case "tool-call": {
          const bare = { kind: event.kind, call: event.call, name: event.name, idempotent: event.idempotent ?? false, ...path };
          return hideable(bare, { ...bare, arguments: clipText(event.arguments, most) });
        }
        case "tool-result": {
          const bare = { kind: event.kind, call: event.call, name: event.name, failed: event.failed ?? false, ...path };
          return hideable(bare, { ...bare, output: clipText(event.output, most) });
        }
        case "delegation": {
          const { kind, from, to, via } = event;
          return [aside("extension", { kind, from, to, via, ...(event.task !== undefined && { task: event.task }), ...path })];
        }
        case "usage":
          return [aside("extension", { kind: "usage", usage: { ...event.usage }, ...path })];
        case "note":
          checkEntry(limits, event.value, `The note ${event.name}`, "put what is long into an artifact");
          return [aside("extension", { kind: "note", name: event.name, value: event.value, ...path })];
        default:
          return assertNever(event);
      }
    },
  };
}

/** The chain of child agents, where one speaks. */
type Path = { readonly path: readonly string[] } | undefined;
