import type { Turn } from "../engine/engine.ts";
import type { Message, Part } from "../model/a2a.ts";

/** A turn for tests: the user says `text`; everything else has a plain value that `overrides` can replace. */
export function testTurn(text: string, overrides: Partial<Turn> = {}): Turn {
  const task = overrides.task ?? "task-1";
  const context = overrides.context ?? "context-1";
  return {
    principal: { tenant: "test", user: "tester" },
    agent: "agent",
    task,
    context,
    attempt: 1,
    epoch: 1,
    input: [userMessage([{ text }], { taskId: task, contextId: context })],
    current: { id: task, contextId: context, status: { state: "TASK_STATE_WORKING" } },
    history: async () => [],
    references: async () => [],
    load: async (part) => Buffer.from(part.raw ?? part.text ?? "", part.raw === undefined ? "utf8" : "base64"),
    metadata: {},
    ...overrides,
  };
}

/** A message of the user with these parts. */
export function userMessage(parts: readonly Part[], overrides: Partial<Message> = {}): Message {
  return { messageId: `message-${crypto.randomUUID()}`, role: "ROLE_USER", parts, ...overrides };
}
