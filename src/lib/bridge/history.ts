import type { Part } from "../model/a2a.ts";

/** One message of a conversation that a caller brings along. */
export interface SaidMessage {
  readonly role: string;
  readonly parts: readonly Part[];
}

/**
 * What was said before a message, as parts to put before its own: one text with instructions and words, and the files. An agent's own memory is its log; this is how it
 * learns what is not there. Empty where nothing was said.
 */
export function toLead(before: readonly SaidMessage[]): readonly Part[] {
  const isRule = ({ role }: SaidMessage): boolean => role === "system" || role === "developer";
  const rules = before.filter(isRule).map(textOf);
  const said = before.filter((message) => !isRule(message)).map((message) => `${nameOf(message.role)}: ${textOf(message)}`);
  const lead = [
    ...(rules.length > 0 ? [`Instructions:\n${rules.join("\n")}`] : []),
    ...(said.length > 0 ? [`The conversation so far:\n${said.join("\n")}`] : []),
  ];
  const files = before.flatMap(({ parts }) => parts.filter((part) => part.text === undefined));
  return [...(lead.length > 0 ? [{ text: `${lead.join("\n\n")}\n\nThe message to answer:` }] : []), ...files];
}

function textOf({ parts }: SaidMessage): string {
  return parts.map((part) => part.text ?? `[${part.filename ?? part.mediaType ?? "file"}]`).join("\n");
}

function nameOf(role: string): string {
  return role === "assistant" ? "Assistant" : role === "user" ? "User" : "Tool";
}
