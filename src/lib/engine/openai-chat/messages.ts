import type { JsonObject } from "../../model/a2a.ts";
import type { Turn } from "../engine.ts";
import { type SdkContent, type SdkInputItem, toInput } from "../openai-agents/input.ts";
import type { Settings } from "./options.ts";

/** A message of a chat completion. */
export type ChatMessage =
  | { readonly role: "system" | "assistant"; readonly content: string }
  | { readonly role: "user"; readonly content: string | readonly JsonObject[] }
  | { readonly role: "assistant"; readonly content: string | null; readonly tool_calls: readonly JsonObject[] }
  | { readonly role: "tool"; readonly tool_call_id: string; readonly content: string };

/**
 * What the model gets to read: the system prompt, the conversation before this turn, the tasks that the input refers to, the input.
 * Text alone is one string, which every server and chat template takes; with files there are content parts.
 */
export async function toMessages(turn: Turn, settings: Settings): Promise<readonly ChatMessage[]> {
  const { system } = settings;
  const said = typeof system === "function" ? await system(turn) : system;
  const items = await toInput(settings.history === "tell" ? turn : { ...turn, history: async () => [] });
  return [...(said === undefined || said === "" ? [] : [{ role: "system", content: said } as const]), ...items.map(toMessage)];
}

function toMessage(item: SdkInputItem): ChatMessage {
  if (item.role === "assistant") return { role: "assistant", content: item.content.map(({ text }) => text).join("\n") };
  const texts = item.content.flatMap((part) => (part.type === "input_text" ? [part.text] : []));
  if (texts.length === item.content.length) return { role: "user", content: texts.join("\n") };
  return { role: "user", content: item.content.map(toPart) };
}

function toPart(content: SdkContent): JsonObject {
  switch (content.type) {
    case "input_text":
      return { type: "text", text: content.text };
    case "input_image":
      return { type: "image_url", image_url: { url: content.image } };
    case "audio":
      return { type: "input_audio", input_audio: { data: content.audio, format: content.format } };
    case "input_file":
      // vLLM's form for moving pictures; OpenAI has none.
      return content.file.startsWith("data:video/")
        ? { type: "video_url", video_url: { url: content.file } }
        : { type: "file", file: { file_data: content.file, filename: content.filename } };
  }
}
