import { Chat } from "@ai-sdk/react";
import { DefaultChatTransport, type UIMessage } from "ai";
import { notHung } from "../../src/lib/testing/engine-support.ts";

/** What a chat is made with, beside its id and where it asks. */
export type ChatOptions = Partial<ConstructorParameters<typeof Chat<UIMessage>>[0]>;

/** The AI SDK's own chat with the agent `agent` of a server. */
export function chatOf(url: string, options: ChatOptions = {}): Chat<UIMessage> {
  return new Chat<UIMessage>({ id: "chat", transport: new DefaultChatTransport({ api: `${url}/ai/agent` }), ...options });
}

/** A message's text. */
export function textOf(message: UIMessage | undefined): string {
  return (message?.parts ?? []).map((part) => (part.type === "text" ? part.text : "")).join("");
}

/** Resolves once `done` holds for the chat's messages and status. */
export async function until(chat: Chat<UIMessage>, done: () => boolean): Promise<void> {
  const reached = Promise.withResolvers<void>();
  const look = (): void => void (done() && reached.resolve());
  chat["~registerMessagesCallback"](look);
  chat["~registerStatusCallback"](look);
  look();
  await notHung("the chat", reached.promise, 60_000);
}
