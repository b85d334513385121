import type { Json } from "../../../model/a2a.ts";

/** The JSON of each `data:` field of a `text/event-stream` body, as it arrives. Throws on JSON that does not parse and on broken UTF-8. */
export async function* sseData(body: ReadableStream<Uint8Array>): AsyncGenerator<Json, void, undefined> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  let rest = "";
  let data: string[] = [];
  for await (const chunk of body) {
    rest += decoder.decode(chunk, { stream: true });
    const lines = rest.split(/\r\n|\n|\r(?!$)/);
    rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line.startsWith("data:")) data.push(line.slice(line.startsWith("data: ") ? 6 : 5));
      if (line !== "") continue;
      if (data.length > 0) yield JSON.parse(data.join("\n")) as Json;
      data = [];
    }
  }
}
