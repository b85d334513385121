import type { Thresholds } from "../liveness/thresholds.ts";
import type { JsonObject } from "../model/a2a.ts";
import type { Principal } from "../model/key.ts";
import type { Engine } from "./engine.ts";

/** One agent that a server serves: who it is (for its card), what runs it, and its policies. */
export interface Agent {
  /** In URLs and keys; `[a-z0-9][a-z0-9._-]{0,63}`, not a reserved first segment. */
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly version: string;
  readonly engine: Engine;
  /** Whose agent it is alone: for any other caller it does not exist. Absent: everybody's. */
  readonly owner?: Pick<Principal, "tenant" | "user">;
  readonly skills: readonly Skill[];
  readonly inputModes: readonly string[];
  readonly outputModes: readonly string[];
  readonly provider?: { readonly organization: string; readonly url: string };
  readonly documentationUrl?: string;
  readonly iconUrl?: string;
  /** What SendMessage may answer with (SEMANTICS 6). */
  readonly replies: "task" | "message" | "either";
  /** A message to a task that is working (SEMANTICS 17). */
  readonly onInput: "queue" | "interrupt" | "reject";
  /** A turn whose owner died (SEMANTICS 19). */
  readonly onCrash: "safe" | "restart" | "fail";
  /** How long each phase of a turn may be silent, and what becomes of a turn that stalls (SEMANTICS 28): it is told, or it FAILS with reason INFERENCE_STALLED. */
  readonly liveness: { readonly thresholds?: Partial<Thresholds>; readonly onStall: "report" | "abort" };
  /** Which internal content readers of the extension may see. */
  readonly expose: { readonly reasoning: boolean; readonly toolArguments: boolean };
  /** A larger artifact fails the task, or its oldest content is dropped (SEMANTICS 14). */
  readonly maxArtifactBytes: { readonly limit: number; readonly policy: "fail" | "roll" };
  /** Members that the extended card has beside the public one; absent: there is none. */
  readonly extendedCard?: JsonObject;
  readonly streaming: boolean;
  readonly pushNotifications: boolean;
  /** Extensions beside our own that the card names; a request that lacks a required one is refused. */
  readonly extensions: readonly CardExtension[];
}

/** `a2a.v1.AgentSkill`. */
export interface Skill {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly tags: readonly string[];
  readonly examples?: readonly string[];
}

/** `a2a.v1.AgentExtension`. */
export interface CardExtension {
  readonly uri: string;
  readonly description?: string;
  readonly required?: boolean;
  readonly params?: JsonObject;
}

/** What `defineAgent` takes: an id and an engine; the rest has defaults. */
export type AgentOptions = Pick<Agent, "id" | "engine"> & Partial<Omit<Agent, "id" | "engine">>;
