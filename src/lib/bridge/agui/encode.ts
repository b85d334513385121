import type { JsonObject } from "../../model/a2a.ts";
import { assertNever } from "../../model/errors.ts";
import type { BridgeEvent, TurnEnd, WaitingCall } from "../bridge-event.ts";
import { interruptId } from "./input.ts";

/** One event of AG-UI: its `type` in capitals, and its members. */
export type AguiEvent = { readonly type: string } & JsonObject;

/** The run that is told. */
export interface AguiRun {
  readonly threadId: string;
  readonly runId: string;
  /** Absent for an answer without a task. */
  readonly task?: string;
  /** `<task>.<entry>`: begins the ids of the turn's messages, the same for every reader of it. */
  readonly prefix: string;
  /** Where people find the task. */
  readonly link: string;
}

/** Puts what happens in a turn into events of AG-UI 1.0. It holds usage and nothing else: one event in, its own out. */
export function createAguiEncoder(run: AguiRun): (event: BridgeEvent) => readonly AguiEvent[] {
  const usage: JsonObject[] = [];
  const id = (block: string): string => `${run.prefix}.${block}`;
  const { task, link } = run;
  const callId = (call: string): string => toolCallId(run, call);
  return (event) => {
    const own = "child" in event && event.child !== undefined ? { subagentRunId: id(event.child) } : {};
    switch (event.kind) {
      case "text-start":
        return [{ type: "TEXT_MESSAGE_START", messageId: id(event.id), role: "assistant", ...own }];
      case "text":
        return [{ type: "TEXT_MESSAGE_CONTENT", messageId: id(event.id), delta: event.delta, ...own }];
      case "text-end":
        return [{ type: "TEXT_MESSAGE_END", messageId: id(event.id), ...own }];
      case "reasoning-start":
        return [
          { type: "REASONING_START", messageId: id(event.id), ...own },
          { type: "REASONING_MESSAGE_START", messageId: id(event.id), role: "reasoning", ...own },
        ];
      case "reasoning":
        return [{ type: "REASONING_MESSAGE_CONTENT", messageId: id(event.id), delta: event.delta, ...own }];
      case "reasoning-end":
        return [
          { type: "REASONING_MESSAGE_END", messageId: id(event.id), ...own },
          { type: "REASONING_END", messageId: id(event.id), ...own },
        ];
      case "tool-call": {
        const toolCallId = callId(event.id);
        return [
          { type: "TOOL_CALL_START", toolCallId, toolCallName: event.name, parentMessageId: id(`call.${event.id}`), ...own },
          ...(event.arguments === undefined ? [] : [{ type: "TOOL_CALL_ARGS", toolCallId, delta: event.arguments, ...own }]),
          { type: "TOOL_CALL_END", toolCallId, ...own },
        ];
      }
      case "tool-result": {
        const result = { messageId: id(`${event.id}.result`), toolCallId: callId(event.id), content: event.output ?? "", role: "tool" };
        return [{ type: "TOOL_CALL_RESULT", ...result, ...(event.failed && { metadata: { failed: true } }), ...own }];
      }
      case "file": {
        const { url, mediaType, filename } = event;
        return [activity(id(event.id), "file", { url, mediaType, ...(filename !== undefined && { filename }) })];
      }
      case "data":
        return [activity(id(event.id), "data", { value: event.value })];
      case "status":
        return [activity(id("status"), "status", { text: event.text })];
      case "auth":
        // Its answer comes from elsewhere, while this run goes on: an interrupt would end it.
        return [activity(id(event.id), "auth_required", { message: event.message, waits: event.waits, ...(task !== undefined && { task }), link })];
      case "child-start": {
        const parent = event.parent === undefined ? {} : { parentSubagentRunId: id(event.parent) };
        return [
          { type: "STEP_STARTED", stepName: event.id },
          { type: "SUBAGENT_STARTED", subagentRunId: id(event.id), name: event.name, ...parent },
        ];
      }
      case "child-end":
        return [
          { type: "SUBAGENT_FINISHED", subagentRunId: id(event.id), outcome: { type: "success" } },
          { type: "STEP_FINISHED", stepName: event.id },
        ];
      case "note":
        return [{ type: "CUSTOM", name: event.name, value: event.value }];
      case "usage":
        addUsage(usage, event.usage);
        return [];
      case "pause":
        return [];
      case "end":
        return [toEnd(run, event.end, usage)];
      default:
        return assertNever(event);
    }
  };
}

/** The event that begins a run. */
export function runStarted({ threadId, runId, task, link }: AguiRun): AguiEvent {
  return { type: "RUN_STARTED", threadId, runId, ...(task !== undefined && { metadata: { task, link } }) };
}

/** The event of a run whose reader is let go before its end: it goes on, and the same run again attaches to it. */
export function runCut(run: AguiRun): AguiEvent {
  return {
    type: "RUN_ERROR",
    code: "STREAM_ENDED",
    message: `The server ended this stream; the task goes on. Run again with the same messages to attach to it, or see ${run.link}.`,
  };
}

/** An event as SSE has it. */
export function toSse(event: AguiEvent): string {
  return `data: ${JSON.stringify(event)}\n\n`;
}

function activity(messageId: string, activityType: string, content: JsonObject): AguiEvent {
  return { type: "ACTIVITY_SNAPSHOT", messageId, activityType, content };
}

function toEnd(run: AguiRun, end: TurnEnd, usage: readonly JsonObject[]): AguiEvent {
  const spent = usage.length > 0 ? { usage: [...usage] } : {};
  const finished = (outcome: JsonObject): AguiEvent => ({ type: "RUN_FINISHED", threadId: run.threadId, runId: run.runId, outcome, ...spent });
  switch (end.outcome) {
    case "completed":
      return finished({ type: "success" });
    case "canceled":
      return finished({ type: "cancelled" });
    case "failed":
      return { type: "RUN_ERROR", code: end.code, message: end.message, ...spent };
    case "superseded":
      return {
        type: "RUN_ERROR",
        code: "SUPERSEDED",
        message: `The turn was started over after a failure, so what was sent of it is void. It goes on at ${run.link}; run again with the same messages to read it anew.`,
        ...spent,
      };
    case "input":
      return finished({
        type: "interrupt",
        interrupts: end.approvals.length > 0 ? end.approvals.map((call) => approval(run, call, end.message)) : [question(run, end.message)],
      });
    default:
      return assertNever(end);
  }
}

/** A call's id for a whole thread, whose tasks may count their calls from one each: a later turn of the task names it the same. */
function toolCallId({ task = "" }: AguiRun, call: string): string {
  return `${task}.${call}`;
}

function approval(run: AguiRun, call: WaitingCall, message: string): JsonObject {
  const responseSchema = { type: "object", properties: { approved: { type: "boolean" }, reason: { type: "string" } }, required: ["approved"] };
  const metadata = { name: call.name, arguments: call.arguments };
  return { id: interruptId(run.prefix, call.id), reason: "tool_approval", message, toolCallId: toolCallId(run, call.id), responseSchema, metadata };
}

function question(run: AguiRun, message: string): JsonObject {
  const responseSchema = { type: "object", properties: { text: { type: "string" } }, required: ["text"] };
  return { id: interruptId(run.prefix, undefined), reason: "input_required", ...(message !== "" && { message }), responseSchema };
}

const COUNTS = ["inputTokens", "outputTokens", "totalTokens", "reasoningTokens", "cachedInputTokens"] as const;

/** Adds a model call to the run's usage, which has one entry a model. */
function addUsage(usage: JsonObject[], call: JsonObject): void {
  const at = usage.findIndex(({ model }) => model === call["model"]);
  const before = usage[at] ?? {};
  const sum: Record<string, number> = {};
  for (const name of COUNTS) {
    const [one, other] = [before[name], call[name]];
    if (typeof one === "number" || typeof other === "number") sum[name] = (typeof one === "number" ? one : 0) + (typeof other === "number" ? other : 0);
  }
  const added = { ...(typeof call["model"] === "string" && { model: call["model"] }), ...sum };
  if (at < 0) usage.push(added);
  else usage[at] = added;
}
