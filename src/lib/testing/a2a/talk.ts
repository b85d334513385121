import assert from "node:assert/strict";
import type { JsonObject, TaskState } from "../../model/a2a.ts";
import type { AgentContext, BindingContext } from "./conformance-case.ts";
import { refuseSomehow, succeed } from "./expect.ts";
import { parseShape } from "./shapes.ts";
import type { WireEvent, WireTask } from "./shapes.ts";
import type { OpenStream, StreamReply } from "./wire-client.ts";

/** What a user's message may say beyond its behaviour's prefix. */
export interface MessageOptions {
  readonly text?: string;
  readonly taskId?: string;
  readonly contextId?: string;
  readonly parts?: readonly JsonObject[];
  readonly configuration?: JsonObject;
}

/** A SendMessageRequest whose messageId begins with `prefix`, which picks the agent's behaviour. */
export function say(context: AgentContext, prefix: string, options: MessageOptions = {}): JsonObject {
  const { text = "Hello", taskId, contextId, parts = [{ text }], configuration } = options;
  const ids = { ...(taskId === undefined ? {} : { taskId }), ...(contextId === undefined ? {} : { contextId }) };
  const message: JsonObject = { messageId: context.messageId(prefix), role: "ROLE_USER", parts, ...ids };
  return { message, ...(configuration === undefined ? {} : { configuration }) };
}

/** Sends and returns the task of the answer, which must be one. */
export async function sendForTask(context: BindingContext, prefix: string, options?: MessageOptions): Promise<WireTask> {
  const value = succeed(await context.wire.call("SendMessage", say(context, prefix, options)));
  const response = parseShape("SendMessageResponse", value);
  if ("task" in response) return response.task;
  return assert.fail(`expected a task, got ${JSON.stringify(value)}`);
}

/** Sends and returns the task, which must have reached `state`. */
export async function sendUntil(context: BindingContext, state: TaskState, prefix: string, options?: MessageOptions): Promise<WireTask> {
  const task = await sendForTask(context, prefix, options);
  assert.equal(task.status.state, state, `a blocking send returns at ${state}: ${JSON.stringify(task.status)}`);
  return task;
}

/** A task that is over. */
export function completedTask(context: BindingContext, options?: MessageOptions): Promise<WireTask> {
  return sendUntil(context, "TASK_STATE_COMPLETED", "tck-complete-task", options);
}

/** A task that waits for its user. */
export function waitingTask(context: BindingContext, options?: MessageOptions): Promise<WireTask> {
  return sendUntil(context, "TASK_STATE_INPUT_REQUIRED", "tck-input-required", options);
}

/** GetTask, which must succeed. */
export async function getTask(context: BindingContext, id: string, fields: JsonObject = {}): Promise<WireTask> {
  return parseShape("Task", succeed(await context.wire.call("GetTask", { id, ...fields })));
}

/** The stream of a reply that must have opened one. */
export function opened(reply: StreamReply): OpenStream {
  if (reply.ok) return reply;
  return assert.fail(`expected a stream, got ${refuseSomehow(reply).received}`);
}

/** The stream's events, each checked for its form, until the stream ends or `enough` is true of one. */
export async function collect(stream: OpenStream, enough: (event: WireEvent) => boolean = () => false): Promise<WireEvent[]> {
  const events: WireEvent[] = [];
  for await (const value of stream.events) {
    const event = parseShape("StreamResponse", value);
    events.push(event);
    if (enough(event)) break;
  }
  return events;
}

/** `collect` in the background, while the case goes on; what it throws waits until it is awaited. */
export function collecting(stream: OpenStream): Promise<WireEvent[]> {
  const events = collect(stream);
  events.catch(() => undefined);
  return events;
}

/** Opens a send stream and collects it to its end. */
export async function streamToEnd(context: BindingContext, prefix: string, options?: MessageOptions): Promise<WireEvent[]> {
  await using stream = opened(await context.wire.open("SendStreamingMessage", say(context, prefix, options)));
  return await collect(stream);
}

/** The state that an event tells: of its task or its status update. */
export function stateOf(event: WireEvent): TaskState | undefined {
  if ("task" in event) return event.task.status.state;
  return "statusUpdate" in event ? event.statusUpdate.status.state : undefined;
}

/** All text of the events' artifact updates and of their tasks' artifacts, joined. */
export function artifactText(events: readonly WireEvent[]): string {
  return events
    .flatMap((event) => ("artifactUpdate" in event ? event.artifactUpdate.artifact.parts : []))
    .map((part) => part.text ?? "")
    .join("");
}

/** Texts of a task's history, in order. */
export function historyTexts(task: WireTask): string[] {
  return (task.history ?? []).flatMap((message) => message.parts.flatMap((part) => (part.text === undefined ? [] : [part.text])));
}

/** `value` without what may differ between two views of one thing: member order and empty members (gRPC has no absent ones). */
export function canonical(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(canonical);
  if (typeof value !== "object" || value === null) return value;
  const entries = Object.entries(value)
    .map(([name, member]) => [name, canonical(member)] as const)
    .filter(([, member]) => !isEmpty(member));
  return Object.fromEntries(entries.toSorted(([a], [b]) => (a < b ? -1 : 1)));
}

function isEmpty(value: unknown): boolean {
  if (value === undefined || value === null || value === "" || value === false) return true;
  return typeof value === "object" && Object.keys(value).length === 0;
}
