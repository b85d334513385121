/** The text of one `data:` payload of a chat-completions stream, or "". */
export function chatText(data: string): string {
  if (data === "[DONE]") return "";
  const chunk = JSON.parse(data) as { choices?: { delta?: { content?: string | null } }[] };
  return chunk.choices?.[0]?.delta?.content ?? "";
}

/** The text of one `data:` payload of a Responses stream, or "". */
export function responsesText(data: string): string {
  if (data === "[DONE]") return "";
  const event = JSON.parse(data) as { type?: string; delta?: string };
  return event.type === "response.output_text.delta" ? (event.delta ?? "") : "";
}

/** The texts that a recorded event stream carried, in order, without empty ones. */
export function textsSent(data: readonly string[], textOf: (data: string) => string): readonly string[] {
  return data.map(textOf).filter((text) => text !== "");
}
