import type { LivenessSignal } from "../liveness/liveness.ts";
import type { ResumeState } from "../log/log.ts";
import type { Artifact, Json, JsonObject, Message, Part, Task } from "../model/a2a.ts";
import type { Principal } from "../model/key.ts";

/**
 * One agent turn: messages in, events out. An engine is right when `runEngineConformance` passes.
 *
 * MUST:
 * - yield each chunk as soon as it has it, and ask for nothing more until the consumer asks (one chunk in, one entry out; no engine collects);
 * - stop promptly when `signal` aborts (return or throw; the runtime knows why). `signal.reason` is an `IasError` whose reason is TURN_ABANDONED
 *   where the turn will go on elsewhere (the process drains, the lease is lost): work outside of this process must then be left as it is;
 * - end by returning (the turn is COMPLETED), by yielding `interrupt`, `reply` or `end` last, or by throwing (FAILED; `IasError.retryable` is told).
 * MUST NOT: keep state of a turn outside of it, other than through `checkpoint` and `interrupt`.
 * What is yielded is checked (`to-event.ts`): a wrong event, or half a character that no next piece makes whole, ends the turn as FAILED, reason EVENT_INVALID.
 *
 * An engine that holds something beyond its turns (programs, connections) is disposable; whoever made it disposes of it, after its last turn.
 */
export interface Engine extends Partial<AsyncDisposable> {
  /** Media types of files that it takes, wildcards such as "image/*" among them: the `inputModes` of an agent that names none. Absent: text and JSON. */
  readonly inputModes?: readonly string[];
  run(turn: Turn, options: { readonly signal: AbortSignal }): AsyncIterable<AgentEvent>;
}

/** What an engine gets to see of the task that it works on. */
export interface Turn {
  readonly principal: Principal;
  readonly agent: string;
  readonly task: string;
  readonly context: string;
  /** From 1; more than 1 after a crash or restart of the same turn. */
  readonly attempt: number;
  /** The writer's epoch: with the task and a call id it is an idempotency token for tools (SEMANTICS 19). */
  readonly epoch: number;
  /** The user's messages that this turn answers, oldest first; at least one. */
  readonly input: readonly Message[];
  /** The task as it is at the start of the turn: earlier turns' history and artifacts. */
  readonly current: Task;
  /** What came before in the conversation: messages of earlier tasks of this context and earlier turns of this task, oldest first. */
  history(): Promise<readonly Message[]>;
  /** The tasks that the input refers to (`referenceTaskIds`) and the caller may see. */
  references(): Promise<readonly Task[]>;
  /** The bytes of a part that holds a file: raw, from the blob store, or fetched by the guarded fetch. */
  load(part: Part): Promise<Uint8Array>;
  /** What the last turn of this task left with `interrupt` or `checkpoint`. */
  readonly state?: ResumeState;
  /** Headers and metadata that the caller sent for the agent. */
  readonly metadata: JsonObject;
}

/**
 * What an agent does, one discriminated union. `path` names the chain of child agents from the turn's agent down (absent: the agent itself);
 * what a child says is not the answer, so its text goes to readers of our extension only.
 */
export type AgentEvent =
  /** A piece of the answer. Appends to the artifact `artifact` (default `"answer"`), which opens with its first piece. Empty text is ignored. */
  | { readonly kind: "text"; readonly text: string; readonly artifact?: string; readonly name?: string; readonly path?: readonly string[] }
  /** An artifact or a chunk of one, of any parts. `append` true adds to a known one, and opens it if it is not known. */
  | { readonly kind: "artifact"; readonly artifact: Artifact; readonly append?: boolean; readonly lastChunk?: boolean; readonly path?: readonly string[] }
  /** A public note on the work: a WORKING status, with a message when given. */
  | { readonly kind: "status"; readonly message?: readonly Part[]; readonly metadata?: JsonObject }
  /** A piece of reasoning. Its text is internal unless the agent exposes reasoning. */
  | { readonly kind: "reasoning"; readonly text: string; readonly path?: readonly string[] }
  /** A tool starts. `arguments` is JSON text as the model gave it. `idempotent` false or absent: a crash after this cannot be repeated by itself. */
  | {
      readonly kind: "tool-call";
      readonly call: string;
      readonly name: string;
      readonly arguments: string;
      readonly idempotent?: boolean;
      readonly path?: readonly string[];
    }
  | {
      readonly kind: "tool-result";
      readonly call: string;
      readonly name: string;
      readonly output: string;
      readonly failed?: boolean;
      readonly path?: readonly string[];
    }
  /** Work passes to another agent: by hand-off (it answers from now on) or as a tool or remote agent (it reports back). */
  | {
      readonly kind: "delegation";
      readonly from: string;
      readonly to: string;
      readonly via: "handoff" | "tool" | "a2a";
      readonly task?: string;
      readonly path?: readonly string[];
    }
  | { readonly kind: "usage"; readonly usage: Usage; readonly path?: readonly string[] }
  /** Anything else for readers of the extension, under a name of the engine's own. */
  | { readonly kind: "note"; readonly name: string; readonly value: Json; readonly path?: readonly string[] }
  /**
   * What only the engine knows of its progress: that it connects, waits for a rate limit, got bytes without content, or how many tokens the model made.
   * It feeds the turn's liveness and makes no entry by itself; content, tools, children and waits for people need no such word: their events tell.
   */
  | { readonly kind: "liveness"; readonly signal: LivenessSignal; readonly path?: readonly string[] }
  /** State to go on from after a crash (SEMANTICS 19). */
  | { readonly kind: "checkpoint"; readonly state: ResumeState }
  /** The turn ends: the client must answer (`input`, INPUT_REQUIRED) or authenticate (`auth`, AUTH_REQUIRED). */
  | {
      readonly kind: "interrupt";
      readonly reason: "input" | "auth";
      readonly message?: readonly Part[];
      readonly approvals?: readonly Approval[];
      readonly state?: ResumeState;
    }
  /** A direct message as the last event, only where the agent `replies` allow it. As the first event, and soon (half of `replyHoldMs`), it is the answer instead of a task; else the task's final message. */
  | { readonly kind: "reply"; readonly parts: readonly Part[]; readonly metadata?: JsonObject }
  /** The turn ends with a word: a message to go with the final state, or a failure or refusal that is not an exception. */
  | { readonly kind: "end"; readonly outcome: "completed" | "failed" | "rejected"; readonly message?: readonly Part[]; readonly metadata?: JsonObject };

/** A tool call that waits for a human. The answer is a message with a data part `{ approvals: [{ call, approve, reason? }] }`, or the text "approve" or "reject". */
export interface Approval {
  readonly call: string;
  readonly name: string;
  readonly arguments: string;
}

/** Token counts of one model call. */
export interface Usage {
  readonly inputTokens: number;
  readonly outputTokens: number;
  readonly totalTokens: number;
  readonly cachedInputTokens?: number;
  readonly reasoningTokens?: number;
  readonly model?: string;
}
