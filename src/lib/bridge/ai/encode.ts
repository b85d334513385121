import type { Json, JsonObject } from "../../model/a2a.ts";
import { assertNever } from "../../model/errors.ts";
import type { BridgeEvent, TurnEnd } from "../bridge-event.ts";
import { addUsage, NO_USAGE } from "../usage.ts";
import { approvalId } from "./input.ts";

/** One chunk of the UI message stream: its `type`, and its members. */
export type UiChunk = { readonly type: string } & JsonObject;

/** The answer that is told. */
export interface UiMessage {
  /** Of the assistant's message: the same for every reader of this answer. */
  readonly id: string;
  readonly agent: string;
  /** Absent for an answer without a task. */
  readonly task?: string;
  readonly link: string;
}

/** How an encoder of the UI message stream begins and goes on. */
export interface UiEncoder {
  readonly begin: readonly UiChunk[];
  next(event: BridgeEvent): readonly UiChunk[];
}

/**
 * Puts what happens in a turn into chunks of the UI message stream, version 1 (`ai` 7). Tools run at the server, so they are dynamic and executed by the provider; what the
 * protocol has no word for is `data-agent`, `data-auth`, `data-status`, `data-json`, and without a trace in the message `data-agent-text`, `data-liveness`, `data-note`.
 */
export function createUiEncoder(message: UiMessage): UiEncoder {
  let usage = NO_USAGE;
  /** Calls whose arguments were told: the agent may keep them to itself, and yet show those of a call that waits. */
  const calls = new Set<string>();
  const { agent, task, link } = message;
  const about = { agent, ...(task !== undefined && { task, link }) };

  const end = (how: TurnEnd): readonly UiChunk[] => {
    const finish = (finishReason: string): readonly UiChunk[] => [
      { type: "finish-step" },
      { type: "finish", finishReason, messageMetadata: { ...about, ...(usage.totalTokens > 0 && { usage: { ...usage } }) } },
    ];
    switch (how.outcome) {
      case "completed":
        return finish("stop");
      case "canceled":
        return [{ type: "abort", reason: "The task was canceled." }];
      case "failed":
        return [{ type: "error", errorText: how.message }];
      case "superseded":
        return [
          {
            type: "error",
            errorText: `The turn was started over after a failure, so what was sent of it is void. It goes on at ${link}; resume the stream to read it anew.`,
          },
        ];
      case "input":
        return [
          ...how.approvals.flatMap((call): readonly UiChunk[] => [
            ...(calls.has(call.id) ? [] : [toolInput(call.id, call.name, call.arguments)]),
            { type: "tool-approval-request", approvalId: approvalId(task ?? "", call.id), toolCallId: call.id },
          ]),
          ...finish(how.approvals.length > 0 ? "tool-calls" : "stop"),
        ];
      default:
        return assertNever(how);
    }
  };

  return {
    begin: [{ type: "start", messageId: message.id, messageMetadata: about }, { type: "start-step" }],
    next(event) {
      if ("child" in event && event.child !== undefined) {
        if (event.kind === "text" || event.kind === "reasoning")
          return [{ type: "data-agent-text", transient: true, data: { agent: event.child, kind: event.kind, delta: event.delta } }];
        if (event.kind !== "tool-call" && event.kind !== "tool-result") return [];
      }
      switch (event.kind) {
        case "text-start":
        case "text-end":
        case "reasoning-start":
        case "reasoning-end":
          return [{ type: event.kind, id: event.id }];
        case "text":
        case "reasoning":
          return [{ type: `${event.kind}-delta`, id: event.id, delta: event.delta }];
        case "tool-call":
          if (event.arguments !== undefined) calls.add(event.id);
          return [toolInput(event.id, event.name, event.arguments, event.child)];
        case "tool-result": {
          const at = { toolCallId: event.id, dynamic: true, providerExecuted: true };
          const output = event.output ?? "";
          return [event.failed ? { type: "tool-output-error", ...at, errorText: output } : { type: "tool-output-available", ...at, output: asJson(output) }];
        }
        case "file":
          return [{ type: "file", url: event.url, mediaType: event.mediaType }];
        case "data":
          return [{ type: "data-json", id: event.id, data: event.value }];
        case "status":
          return [{ type: "data-status", id: "status", data: { text: event.text } }];
        case "auth":
          return [{ type: "data-auth", id: event.id, data: { message: event.message, waits: event.waits, ...about } }];
        case "child-start":
          return [
            { type: "data-agent", id: event.id, data: { name: event.name, state: "working", ...(event.parent !== undefined && { parent: event.parent }) } },
          ];
        case "child-end":
          return [{ type: "data-agent", id: event.id, data: { name: event.name, state: "done" } }];
        case "note":
          return [
            event.name === "liveness"
              ? { type: "data-liveness", transient: true, data: event.value }
              : { type: "data-note", transient: true, data: { name: event.name, value: event.value } },
          ];
        case "usage":
          usage = addUsage(usage, event.usage);
          return [];
        case "pause":
          return [{ type: "finish-step" }, { type: "start-step" }];
        case "end":
          return end(event.end);
        default:
          return assertNever(event);
      }
    },
  };
}

/** A chunk as SSE has it. */
export function toSse(chunk: UiChunk): string {
  return `data: ${JSON.stringify(chunk)}\n\n`;
}

/** The line after the last chunk. */
export const DONE = "data: [DONE]\n\n";

function toolInput(toolCallId: string, toolName: string, given: string | undefined, child?: string): UiChunk {
  const by = child === undefined ? {} : { toolMetadata: { agent: child } };
  return { type: "tool-input-available", toolCallId, toolName, input: given === undefined ? {} : asJson(given), dynamic: true, providerExecuted: true, ...by };
}

/** JSON text as its value; other text as it is. */
function asJson(text: string): Json {
  try {
    return JSON.parse(text) as Json;
  } catch {
    return text;
  }
}
