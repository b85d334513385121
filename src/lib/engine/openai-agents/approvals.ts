import type { Message } from "../../model/a2a.ts";
import type { Approval } from "../engine.ts";
import { fields, list, text } from "./sdk.ts";

/** What the user said to a call that waits. */
export interface Decision {
  readonly approve: boolean;
  readonly reason?: string;
}

/** The user's decisions by call id; `every` stands for all calls that wait. Later words win. */
export interface Decisions {
  readonly every?: Decision;
  readonly calls: ReadonlyMap<string, Decision>;
}

/** Reads data parts `{ approvals: [{ call, approve, reason? }] }` and the texts "approve" and "reject" (any case, "reject: why"). */
export function readDecisions(input: readonly Message[]): Decisions {
  const calls = new Map<string, Decision>();
  let every: Decision | undefined;
  for (const part of input.flatMap(({ parts }) => parts)) {
    for (const one of list(fields(part.data)["approvals"])) {
      const { call, approve, reason } = fields(one);
      if (typeof call === "string" && typeof approve === "boolean") calls.set(call, { approve, ...(text(reason) !== "" && { reason: text(reason) }) });
    }
    const word = /^\s*(approved?|reject(?:ed)?)\s*(?:[.!]|:\s*(.*))?\s*$/is.exec(part.text ?? "");
    if (word !== null) {
      const reason = word[2]?.trim() ?? "";
      every = { approve: word[1]?.toLowerCase().startsWith("a") === true, ...(reason !== "" && { reason }) };
    }
  }
  return every === undefined ? { calls } : { calls, every };
}

/** The decision on one call: its own, or the one on all, or none. */
export function decisionOn(decisions: Decisions, call: string): Decision | undefined {
  return decisions.calls.get(call) ?? decisions.every;
}

/** What an SDK interruption asks for. */
export function toApproval(interruption: unknown): Approval {
  const item = fields(interruption);
  const raw = fields(item["rawItem"]);
  const data = fields(raw["providerData"]);
  return {
    call: text(raw["callId"]) || text(raw["id"]) || text(data["id"]),
    name: text(item["name"]) || text(raw["name"]),
    arguments: text(item["arguments"]) || text(raw["arguments"]) || JSON.stringify(raw["action"] ?? {}),
  };
}

/** The question that a client without our extension sees. It names the tools; their arguments are told as the agent exposes them. */
export function question(approvals: readonly Approval[], unread: boolean): string {
  const names = approvals.map(({ name }) => name).join(", ");
  const ask = `Approval is needed for ${approvals.length === 1 ? "the tool" : "the tools"} ${names}. Answer "approve" or "reject".`;
  return unread ? `That was neither. ${ask}` : ask;
}
