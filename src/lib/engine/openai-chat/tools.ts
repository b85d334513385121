import type { Json, JsonObject } from "../../model/a2a.ts";
import { messageOf } from "../../model/errors.ts";
import type { AgentEvent, Turn } from "../engine.ts";
import { redact } from "../model-status.ts";
import type { Answer, ToolCall } from "./answer.ts";
import type { ChatMessage } from "./messages.ts";
import type { ChatTool } from "./options.ts";

/** Whether every call is to a function that runs here. A name that no tool has is answered here too: the model gets to know. */
export function runsHere(calls: readonly ToolCall[], tools: readonly ChatTool[]): boolean {
  return (
    tools.length > 0 && calls.every(({ name }) => tools.find((tool) => tool.name === name)?.run !== undefined || !tools.some((tool) => tool.name === name))
  );
}

/** Runs the calls of an answer one after the other, and returns what the model gets to read of it. Each call is told before it starts. */
export async function* runCalls(
  answer: Answer,
  tools: readonly ChatTool[],
  turn: Turn,
  signal: AbortSignal,
): AsyncGenerator<AgentEvent, readonly ChatMessage[], undefined> {
  const messages: ChatMessage[] = [{ role: "assistant", content: answer.text === "" ? null : answer.text, tool_calls: answer.calls.map(toWire) }];
  for (const call of answer.calls) {
    const tool = tools.find(({ name }) => name === call.name);
    yield toEvent(call, tool);
    const { output, failed } = await runCall(call, tool, turn, signal);
    signal.throwIfAborted();
    yield { kind: "tool-result", call: call.id, name: call.name, output, ...(failed && { failed }) };
    messages.push({ role: "tool", tool_call_id: call.id, content: output });
  }
  return messages;
}

/** Tells calls that nobody here runs: to readers of the extension as tool calls, to everyone as the artifact `tool-calls`. */
export function* tellCalls(calls: readonly ToolCall[], tools: readonly ChatTool[]): Generator<AgentEvent, void, undefined> {
  for (const call of calls)
    yield toEvent(
      call,
      tools.find(({ name }) => name === call.name),
    );
  const data = { calls: calls.map(({ id, name, arguments: text }) => ({ id, name, arguments: text })) };
  yield {
    kind: "artifact",
    artifact: { artifactId: "tool-calls", name: "tool-calls", parts: [{ data, mediaType: "application/json" }] },
    lastChunk: true,
  };
}

function toEvent(call: ToolCall, tool: ChatTool | undefined): AgentEvent {
  return { kind: "tool-call", call: call.id, name: call.name, arguments: call.arguments, idempotent: tool?.run === undefined || tool.idempotent === true };
}

async function runCall(
  call: ToolCall,
  tool: ChatTool | undefined,
  turn: Turn,
  signal: AbortSignal,
): Promise<{ readonly output: string; readonly failed: boolean }> {
  if (tool?.run === undefined) return { output: `There is no tool ${JSON.stringify(call.name)}.`, failed: true };
  let args: Json;
  try {
    args = call.arguments.trim() === "" ? {} : (JSON.parse(call.arguments) as Json);
  } catch {
    return { output: "The arguments are not JSON.", failed: true };
  }
  try {
    const output = await tool.run(args, { call: call.id, turn, signal });
    return { output: typeof output === "string" ? output : (JSON.stringify(output) ?? ""), failed: false };
  } catch (error) {
    return { output: `The tool failed: ${redact(messageOf(error))}`, failed: true };
  }
}

function toWire({ id, name, arguments: text }: ToolCall): JsonObject {
  return { id, type: "function", function: { name, arguments: text } };
}
