import { z } from "zod";
import type { Part } from "../../model/a2a.ts";
import { refuseFormat, refuseTools } from "./chat.ts";
import type { SaidMessage } from "../history.ts";
import { toOneMessage, toParts } from "./content.ts";
import { unsupported } from "./errors.ts";

/** What `POST /v1/responses` reads. Sampling settings are the agent's own: they are let through unread. */
export const responseSchema = z.object({
  model: z.string(),
  input: z.union([z.string(), z.array(z.looseObject({ type: z.string().optional() }))]),
  instructions: z.string().nullish(),
  previous_response_id: z.string().nullish(),
  conversation: z.union([z.string(), z.looseObject({ id: z.string() })]).nullish(),
  stream: z.boolean().nullish(),
  store: z.boolean().nullish(),
  background: z.boolean().nullish(),
  tools: z.unknown().optional(),
  text: z.looseObject({ format: z.looseObject({ type: z.string() }).nullish() }).nullish(),
  metadata: z.record(z.string(), z.string()).nullish(),
});

/** A response that is asked for. */
export type ResponseInput = z.infer<typeof responseSchema>;

const messageSchema = z.object({ role: z.enum(["user", "assistant", "system", "developer"]), content: z.unknown() });
const approvalSchema = z.object({ approval_request_id: z.string(), approve: z.boolean(), reason: z.string().nullish() });

/** What the agent is sent: a message, or answers to tool calls that waited. Throws `invalid-params`. */
export function toResponseParts(input: ResponseInput): { readonly parts: readonly Part[]; readonly approves: boolean } {
  refuseTools("tools", input.tools);
  refuseFormat("text.format", input.text?.format?.type);
  const said: SaidMessage[] =
    input.instructions === undefined || input.instructions === null ? [] : [{ role: "system", parts: [{ text: input.instructions }] }];
  if (typeof input.input === "string") return { parts: toOneMessage([...said, { role: "user", parts: [{ text: input.input }] }], "input"), approves: false };
  const approvals = input.input.flatMap((item) => {
    if (item.type !== "mcp_approval_response") return [];
    const read = approvalSchema.safeParse(item);
    if (!read.success) throw unsupported("input", "An mcp_approval_response must have approval_request_id (text) and approve (true or false).");
    const { approval_request_id: id, approve, reason } = read.data;
    return [{ call: callOf(id), approve, ...(reason !== undefined && reason !== null && { reason }) }];
  });
  if (approvals.length > 0) return { parts: [{ data: { approvals } }], approves: true };
  for (const [at, item] of input.input.entries()) {
    const param = `input.${at}`;
    if (item.type === "reasoning" || item.type === "mcp_call" || item.type === "mcp_approval_request" || item.type === "item_reference") continue;
    const message = item.type === undefined || item.type === "message" ? messageSchema.safeParse(item) : undefined;
    if (message?.success !== true) throw unsupported(param, `${param} must be a message or an mcp_approval_response: an agent takes no other item.`);
    said.push({ role: message.data.role, parts: toParts(message.data.content, `${param}.content`) });
  }
  return { parts: toOneMessage(said, "input"), approves: false };
}

const APPROVAL = "mcpr_";

/** The id of a call's approval request. */
export function approvalRequestId(call: string): string {
  return `${APPROVAL}${call}`;
}

function callOf(id: string): string {
  return id.startsWith(APPROVAL) ? id.slice(APPROVAL.length) : id;
}

/** A response's id: its task, and the entry after which its turn began. */
export function responseId(task: string, after: number): string {
  return after === 0 ? `resp_${task}` : `resp_${task}_${after}`;
}

/** What a response's id says; undefined for one that this server did not make. */
export function readResponseId(id: string): { readonly task: string; readonly after: number } | undefined {
  const match = /^resp_([^_]+)(?:_([1-9]\d{0,14}))?$/.exec(id);
  return match?.[1] === undefined ? undefined : { task: match[1], after: Number(match[2] ?? 0) };
}
