import { z } from "zod";
import type { Json, Part } from "../../model/a2a.ts";
import { invalidField } from "../../model/errors.ts";
import { isObject } from "../../model/json.ts";
import type { ChatMessage } from "../chat-message.ts";
import { toFilePart } from "../file-parts.ts";
import type { SaidMessage } from "../history.ts";

/** What `DefaultChatTransport` of `ai` 7 posts. Other members, which an application may add, are let through unread. */
export const chatSchema = z.object({
  id: z.string().min(1, "must not be empty").max(256, "must be at most 256 characters"),
  messages: z.array(z.looseObject({ id: z.string(), role: z.string(), parts: z.array(z.looseObject({ type: z.string() })), metadata: z.json().optional() })),
  trigger: z.enum(["submit-message", "regenerate-message"]).default("submit-message"),
});

/** A chat that is sent. */
export type ChatInput = z.infer<typeof chatSchema>;

/** What a chat asks for: an answer to a message, or that a task goes on whose calls waited for approval. */
export type ChatRequest =
  | ({ readonly kind: "message" } & ChatMessage)
  | { readonly kind: "approvals"; readonly task: string; readonly parts: readonly Part[]; readonly message: string };

/** Reads what a chat asks for: its last message decides. Throws `invalid-params`. */
export function toChatRequest({ messages }: ChatInput): ChatRequest {
  const last = messages.at(-1);
  if (last?.role === "assistant") {
    const answered = toApprovals(last);
    if (answered !== undefined) return answered;
  }
  const at = messages.findLastIndex(({ role }) => role === "user");
  const message = messages[at];
  if (message === undefined) throw invalidField("messages", "must hold a message of the role user: it is what the agent answers");
  const parts = message.parts.flatMap(toPart);
  if (parts.length === 0) throw invalidField("messages.parts", "must hold a text, a file or data");
  const { metadata } = message;
  return { kind: "message", id: message.id, parts, before: messages.slice(0, at).flatMap(toSaid), ...(isObject(metadata) && { metadata }) };
}

/** An earlier message, without what an agent could make nothing of: calls of tools that are not its own, data of the page. */
function toSaid({ role, parts }: ChatInput["messages"][number]): readonly SaidMessage[] {
  const said = parts.filter(({ type }) => type === "text" || type === "file").flatMap(toPart);
  return said.length === 0 ? [] : [{ role, parts: said }];
}

/** The id of an approval: its task and the call. */
export function approvalId(task: string, call: string): string {
  return `${task}/${call}`;
}

const respondedSchema = z.object({ approval: z.object({ id: z.string(), approved: z.boolean(), reason: z.string().optional() }) });

/** Answers in the message's last step: those before it were given earlier. */
function toApprovals(message: ChatInput["messages"][number]): ChatRequest | undefined {
  const step = message.parts.findLastIndex(({ type }) => type === "step-start");
  const given = message.parts.slice(step + 1).flatMap((part) => {
    const read = part["state"] === "approval-responded" ? respondedSchema.safeParse(part) : undefined;
    return read?.success === true ? [read.data.approval] : [];
  });
  const task = given[0]?.id.split("/", 1)[0];
  if (task === undefined) return undefined;
  const approvals = given
    .filter(({ id }) => id.startsWith(`${task}/`))
    .map(({ id, approved, reason }) => ({ call: id.slice(task.length + 1), approve: approved, ...(reason !== undefined && { reason }) }));
  return { kind: "approvals", task, parts: [{ data: { approvals } }], message: message.id };
}

function toPart(part: Readonly<Record<string, unknown>> & { readonly type: string }): readonly Part[] {
  if (part.type === "text" && typeof part["text"] === "string") return [{ text: part["text"] }];
  if (part.type === "file" && typeof part["url"] === "string") {
    const text = (name: string): string | undefined => (typeof part[name] === "string" ? part[name] : undefined);
    return [toFilePart(part["url"], { mediaType: text("mediaType"), filename: text("filename") })];
  }
  if (part.type.startsWith("data-")) return [{ data: { [part.type.slice("data-".length)]: part["data"] as Json } }];
  return [];
}
