import { randomUUID } from "node:crypto";
import type { Message } from "../../src/lib/model/a2a.ts";

/** A user's message of one text part, with a fresh id. */
export function messageOf(text: string, more: Partial<Message> = {}): Message {
  return { messageId: randomUUID(), role: "ROLE_USER", parts: [{ text }], ...more };
}
