import type * as agents from "@openai/agents";
import { IasError } from "../../model/errors.ts";

/** The SDK, loaded when the first turn runs: it is an optional peer, and importing it has effects (it sets its default model provider). */
export type Sdk = typeof agents;

/** The little of an SDK `Agent` that this engine touches; every `Agent<Context, Output>` of the SDK fits. */
export interface SdkAgent {
  readonly name: string;
  readonly outputType: unknown;
  readonly model: string | SdkModel;
  readonly tools: readonly SdkTool[];
  readonly handoffs: readonly unknown[];
  mcpServers: readonly unknown[];
}

/** A model. */
export interface SdkModel {
  getStreamedResponse(request: never): AsyncIterable<SdkStreamEvent>;
}

/** Finds models by their names. */
export interface SdkModelProvider {
  getModel(name?: string): Promise<SdkModel> | SdkModel;
}

/** A tool; one made by `agent.asTool()` has `on`. */
export interface SdkTool {
  readonly type: string;
  readonly name: string;
  on?(type: "*", handler: (event: SdkToolStreamEvent) => void): unknown;
}

/** What `agent.asTool().on("*", …)` gives: an event of the child's run. */
export interface SdkToolStreamEvent {
  readonly event: SdkRunEvent;
  readonly agent: SdkAgent;
  readonly toolCall?: { readonly callId: string };
}

/** Events of a run, of which the engine reads these fields. */
export type SdkRunEvent =
  | { readonly type: "raw_model_stream_event"; readonly data: SdkStreamEvent }
  | { readonly type: "run_item_stream_event"; readonly name: string; readonly item: { readonly rawItem?: unknown; readonly output?: unknown } }
  | { readonly type: "agent_updated_stream_event"; readonly agent: SdkAgent };

/** Events of a model's stream, in the SDK's normal form. */
export type SdkStreamEvent =
  | { readonly type: "response_started" }
  | { readonly type: "output_text_delta"; readonly delta: string; readonly itemId?: string | undefined }
  | { readonly type: "model"; readonly event: unknown }
  | { readonly type: "response_done"; readonly response: { readonly usage: unknown; readonly output: readonly unknown[] } };

/** @throws IasError `configuration` when the peer is not installed. */
export async function loadSdk(): Promise<Sdk> {
  try {
    return await import("@openai/agents");
  } catch (error) {
    throw new IasError("configuration", 'The engine openai-agents needs the package "@openai/agents": npm install @openai/agents', { cause: error });
  }
}

/** `value` as an object to look into, or an empty one. */
export function fields(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null ? (value as Record<string, unknown>) : {};
}

/** `value` if it is a text, else "". */
export function text(value: unknown): string {
  return typeof value === "string" ? value : "";
}

/** `value` as a list, or an empty one. */
export function list(value: unknown): readonly unknown[] {
  return Array.isArray(value) ? value : [];
}
