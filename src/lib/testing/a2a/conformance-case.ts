import type { JsonObject } from "../../model/a2a.ts";
import type { Raw } from "./raw.ts";
import type { Webhook } from "./webhook.ts";
import type { Binding, WireClient } from "./wire-client.ts";

/** How strongly the specification asks for it (RFC 2119). A SHOULD that is not met fails like a MUST; a MAY has no case. */
export type Level = "MUST" | "SHOULD";

/** What a case finds out about the server before it runs: the agent card's capabilities, as they concern a case. */
export interface Capabilities {
  readonly streaming: boolean;
  readonly push: boolean;
  readonly extendedCard: boolean;
  /** URIs of the extensions that the card marks as required. */
  readonly requiredExtensions: readonly string[];
}

/** What every case gets. Cases share nothing else: each makes its own tasks. */
export interface AgentContext {
  /** The origin whose `/.well-known/agent-card.json` is the agent's card. */
  readonly baseUrl: string;
  readonly card: JsonObject;
  readonly capabilities: Capabilities;
  /** Plain HTTP to the endpoints, for requests that no client would send. */
  readonly raw: Raw;
  /** A client of `binding`, or undefined where the card does not declare it. */
  client(binding: Binding): WireClient | undefined;
  /** A `messageId` that begins with the prefix of a behaviour and is unique. */
  messageId(prefix: string): string;
  /** A receiver of push notifications on loopback, closed with the case. */
  webhook(): Promise<Webhook>;
}

/** What a case of one binding gets: the same and its client. */
export interface BindingContext extends AgentContext {
  readonly wire: WireClient;
}

interface CaseFacts {
  /** Stable name, for example `send.terminal-task`. */
  readonly id: string;
  readonly level: Level;
  /** What the server does, as a sentence. */
  readonly title: string;
  /** Section of the specification 1.0.1 (or of 0.3, for cases of version 0.3). */
  readonly spec: string;
  /** Names under which the public compatibility kit checks the same; for traceability only. */
  readonly covers?: readonly string[];
  /** False where the server does not declare what the case is about. Default: always. */
  readonly when?: (can: Capabilities) => boolean;
}

/** A requirement that does not depend on the binding. `run` throws (an AssertionError, mostly) where the server fails it. */
export interface AgentCase extends CaseFacts {
  readonly scope: "agent";
  run(context: AgentContext): Promise<void>;
}

/** A requirement that is proved once for each binding, or for those in `bindings`. */
export interface BindingCase extends CaseFacts {
  readonly scope: "binding";
  readonly bindings?: readonly Binding[];
  run(context: BindingContext): Promise<void>;
}

/** One requirement and its proof. It needs nothing of any test runner. */
export type ConformanceCase = AgentCase | BindingCase;

/** Streaming is declared: for `when`. */
export const streams = (can: Capabilities): boolean => can.streaming;

/** Push notifications are declared: for `when`. */
export const pushes = (can: Capabilities): boolean => can.push;

type Facts<C extends ConformanceCase> = Omit<C, "scope" | "id" | "run">;

/** A case of the agent as a whole. */
export function onceForAgent(id: string, facts: Facts<AgentCase>, run: AgentCase["run"]): AgentCase {
  return { scope: "agent", id, ...facts, run };
}

/** A case of each binding. */
export function onEachBinding(id: string, facts: Facts<BindingCase>, run: BindingCase["run"]): BindingCase {
  return { scope: "binding", id, ...facts, run };
}
