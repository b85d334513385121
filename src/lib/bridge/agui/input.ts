import { z } from "zod";
import type { Json, JsonObject, Part } from "../../model/a2a.ts";
import type { SendBody } from "../../model/api.ts";
import { invalidField } from "../../model/errors.ts";
import { isObject } from "../../model/json.ts";
import type { ChatMessage } from "../chat-message.ts";
import type { SaidMessage } from "../history.ts";
import { messageIdOf } from "../turn.ts";

/** `RunAgentInput` of AG-UI 1.0 (`@ag-ui/core`), as far as a server that keeps the conversation itself reads it; other members are let through unread. */
export const inputSchema = z.object({
  threadId: z.string().min(1, "must not be empty").max(256, "must be at most 256 characters"),
  runId: z.string().min(1, "must not be empty").max(256, "must be at most 256 characters"),
  messages: z.array(z.looseObject({ id: z.string(), role: z.string(), content: z.unknown().optional() })),
  state: z.json().optional(),
  tools: z.array(z.looseObject({ name: z.string() })).default([]),
  context: z.array(z.object({ description: z.string(), value: z.string() })).default([]),
  forwardedProps: z.json().optional(),
  resume: z.array(z.object({ interruptId: z.string(), status: z.enum(["resolved", "cancelled"]), payload: z.json().optional() })).optional(),
});

/** A run that is asked for. */
export type RunInput = z.infer<typeof inputSchema>;

const sourceSchema = z.object({ type: z.string(), value: z.string(), mimeType: z.string().optional() });

/** A part of a user message's content; media of `metadata.filename` have a name. */
const contentSchema = z.union([
  z.object({ type: z.literal("text"), text: z.string() }),
  z.object({ type: z.enum(["image", "audio", "video", "document"]), source: sourceSchema, metadata: z.unknown().optional() }),
  // Content before AG-UI 1.0, which clients still send.
  z.object({ type: z.literal("binary"), mimeType: z.string(), url: z.string().optional(), data: z.string().optional(), filename: z.string().optional() }),
]);

/** What a run sends to the agent: a message of the thread, answers to interrupts, or the end of a task whose question is not to be answered. */
export type RunRequest =
  | ({ readonly kind: "message" } & ChatMessage)
  | { readonly kind: "answer"; readonly body: SendBody }
  | { readonly kind: "cancel"; readonly task: string };

/** Reads what a run asks for: answers to interrupts, else the newest user message. Throws `invalid-params`. */
export function toRunRequest(input: RunInput): RunRequest {
  if (input.resume !== undefined && input.resume.length > 0) return toAnswer(input, input.resume);
  const message = newestUserMessage(input);
  if (message === undefined) throw invalidField("messages", "must hold a message of the role user: it is what the agent answers");
  const before = input.messages.slice(0, input.messages.indexOf(message)).flatMap(toSaid);
  return { kind: "message", id: message.id, parts: [...surroundings(input), ...toParts(message.content)], before, ...toMetadata(input) };
}

const SAID = new Set(["user", "assistant", "system", "developer", "tool"]);

/** An earlier message, as far as it has words or files that can be read. */
function toSaid({ role, content }: RunInput["messages"][number]): readonly SaidMessage[] {
  if (!SAID.has(role) || content === undefined || content === null || content === "") return [];
  try {
    return [{ role, parts: toParts(content) }];
  } catch {
    return [];
  }
}

/** The user message that is to be answered. */
function newestUserMessage(input: RunInput): RunInput["messages"][number] | undefined {
  return input.messages.findLast(({ role }) => role === "user");
}

/**
 * The id of an interrupt: the task, the entry after which its turn began (so that each question has its own), and for an approval the call.
 * `turn` is `<task>.<entry>`.
 */
export function interruptId(turn: string, call: string | undefined): string {
  return call === undefined ? turn : `${turn}/${call}`;
}

function toAnswer(input: RunInput, resume: NonNullable<RunInput["resume"]>): RunRequest {
  const answers = resume.map(({ interruptId: id, status, payload }) => {
    const [, turn = id, call] = /^([^/]*)\/([^]*)$/.exec(id) ?? [];
    return { turn, call, given: status === "resolved", payload };
  });
  const turn = answers[0]?.turn ?? "";
  const task = turn.replace(/\.\d+$/, "");
  if (answers.some((answer) => answer.turn !== turn)) throw invalidField("resume", "must answer interrupts of one run");
  const approvals = answers.flatMap(({ call, given, payload }) => {
    if (call === undefined) return [];
    const reason = textIn(payload, "reason");
    return [{ call, approve: given && isYes(payload), ...(reason !== undefined && { reason }) }];
  });
  const question = answers.find(({ call }) => call === undefined);
  if (question !== undefined && !question.given) return { kind: "cancel", task };
  const said = question === undefined ? [] : answerParts(input, question.payload);
  const parts: readonly Part[] = [...(approvals.length > 0 ? [{ data: { approvals } }] : []), ...said];
  const body = { parts, taskId: task };
  return { kind: "answer", body: { ...body, messageId: messageIdOf(turn, body) } };
}

/** The answer to a question: a text, `{ text }`, any other JSON as data, or nothing: then the newest user message is it. */
function answerParts(input: RunInput, payload: Json | undefined): readonly Part[] {
  const text = typeof payload === "string" ? payload : textIn(payload, "text");
  if (text !== undefined) return [{ text }];
  if (payload !== undefined && payload !== null) return [{ data: payload }];
  const message = newestUserMessage(input);
  if (message === undefined) throw invalidField("resume", "must bring the answer as payload, { text }, or as a user message");
  return toParts(message.content);
}

function isYes(payload: Json | undefined): boolean {
  if (typeof payload === "boolean") return payload;
  if (!isObject(payload)) return payload === "approve";
  const { approved, approve, accepted } = payload;
  return approved === true || approve === true || accepted === true;
}

function textIn(payload: unknown, name: string): string | undefined {
  const value = isObject(payload) ? payload[name] : undefined;
  return typeof value === "string" ? value : undefined;
}

/** What the frontend shows and knows, as one data part before the message: an agent has no other sense for it. */
function surroundings({ context, state }: RunInput): readonly Part[] {
  const known = isSome(state) ? { state } : {};
  return context.length > 0 || "state" in known ? [{ data: { ...(context.length > 0 && { context }), ...known } }] : [];
}

function toMetadata({ forwardedProps }: RunInput): { readonly metadata?: JsonObject } {
  return isSome(forwardedProps) ? { metadata: { forwardedProps } } : {};
}

/** Clients send empty objects for what they do not have. */
function isSome(value: Json | undefined): value is Json {
  return value !== undefined && value !== null && value !== "" && !(typeof value === "object" && Object.keys(value).length === 0);
}

function toParts(content: unknown): readonly Part[] {
  if (typeof content === "string") return [{ text: content }];
  const read = z.array(contentSchema).safeParse(content);
  if (!read.success)
    throw invalidField("messages.content", "must be a text, or parts of the types text, image, audio, video, document with a source of data or url");
  return read.data.map((part): Part => {
    switch (part.type) {
      case "text":
        return { text: part.text };
      case "binary":
        return file(part.data === undefined ? "url" : "data", part.data ?? part.url ?? "", part.mimeType, part.filename);
      default:
        return file(part.source.type, part.source.value, part.source.mimeType, textIn(part.metadata, "filename"));
    }
  });
}

function file(source: string, value: string, mediaType: string | undefined, filename: string | undefined): Part {
  const about = { ...(mediaType !== undefined && { mediaType }), ...(filename !== undefined && { filename }) };
  if (source === "data") return { raw: value, ...about };
  if (source === "url") return { url: value, ...about };
  throw invalidField("messages.content.source.type", "must be data or url: this server keeps no files of a model provider");
}
