import { createWholeText } from "../stream/whole-text.ts";
import type { AgentEvent } from "./engine.ts";
import { toEvent } from "./to-event.ts";

/**
 * Makes events that can be written out of what a model or a remote agent said: half a character that has no other is U+FFFD, since nobody here can mend it (SEMANTICS 27).
 * Halves that two pieces share are joined. One a turn.
 */
export function createRepair(): (event: AgentEvent) => AgentEvent {
  const whole = createWholeText("replace");
  return (event) => {
    switch (event.kind) {
      case "text": {
        if (typeof event.text !== "string") return event;
        const text = event.path === undefined ? whole.next("artifact", event.artifact ?? "", event.text) : whole.next("text", event.path, event.text);
        return text === event.text ? event : { ...event, text };
      }
      case "reasoning": {
        if (typeof event.text !== "string") return event;
        const text = whole.next("reasoning", event.path ?? "", event.text);
        return text === event.text ? event : { ...event, text };
      }
      case "artifact": {
        const { artifact } = event;
        if (event.append !== true) whole.begin("artifact", artifact.artifactId);
        const parts = artifact.parts.map((part) =>
          part.text === undefined ? part : { ...part, text: whole.next("artifact", artifact.artifactId, part.text) },
        );
        const told = { ...event, artifact: { ...artifact, parts } };
        return isRight(told) ? told : wellFormed(told);
      }
      default:
        return isRight(event) ? event : wellFormed(event);
    }
  };
}

/** Whether an event can be written as it is. */
export function isRight(event: AgentEvent): boolean {
  try {
    toEvent(event, 1);
    return true;
  } catch {
    return false;
  }
}

/** The event with every text in it whole; it came as JSON. */
function wellFormed(event: AgentEvent): AgentEvent {
  return JSON.parse(JSON.stringify(event), (_name, value: unknown) => (typeof value === "string" ? value.toWellFormed() : value)) as AgentEvent;
}
