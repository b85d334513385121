import type { WireEvent } from "./wire.ts";

/** Server-sent events of a response, with JSON data. */
export async function* readEvents(response: Response): AsyncGenerator<WireEvent> {
  if (response.body === null) return;
  let text = "";
  for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
    text += chunk;
    for (let end = text.indexOf("\n\n"); end >= 0; end = text.indexOf("\n\n")) {
      const lines = text.slice(0, end).split("\n");
      text = text.slice(end + 2);
      const data = lines.find((line) => line.startsWith("data:"));
      const id = lines
        .find((line) => line.startsWith("id:"))
        ?.slice(3)
        .trim();
      if (data !== undefined) yield { ...(id !== undefined && { id }), event: JSON.parse(data.slice(5)) };
    }
  }
}
