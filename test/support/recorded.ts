import type { AgentEvent } from "../../src/lib/engine/engine.ts";

/** The text of the one artifact of these events, as a log would fold it. */
export function recorded(events: readonly AgentEvent[]): string {
  let text = "";
  for (const event of events) {
    if (event.kind === "text") text += event.text;
    if (event.kind === "artifact") text = (event.append === true ? text : "") + event.artifact.parts.map((part) => part.text ?? "").join("");
  }
  return text;
}
