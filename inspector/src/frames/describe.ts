import type { Part, StreamResponse } from "../../../src/lib/model/a2a.ts";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { cutText } from "../../../src/lib/model/cut-text.ts";
import { readExtension } from "../../../src/lib/model/extension.ts";

/** What an entry is, in one word: the extension's kind where it has one, else the A2A event's. */
export type FrameKind = string;

/** The word for an entry's kind: `text`, `status`, `tool-call`, `task` … */
export function kindOf(event: StreamResponse): FrameKind {
  if ("task" in event) return "task";
  if ("message" in event) return "message";
  if ("artifactUpdate" in event) return event.artifactUpdate.artifact.parts.every((part) => part.text !== undefined) ? "text" : "artifact";
  const data = readExtension(event);
  return data === undefined || data.kind === "failure" ? "status" : data.kind;
}

/** An entry in one line, at most `most` characters (160) of it. Plain text: whoever shows it must not take it for markup. */
export function summaryOf({ event }: Pick<StreamEntry, "event">, most = 160): string {
  return cutText(describe(event), most);
}

function describe(event: StreamResponse): string {
  if ("task" in event)
    return `${stateWord(event.task.status.state)}${event.task.history === undefined ? "" : `: ${partsText(event.task.history.at(-1)?.parts)}`}`;
  if ("message" in event) return partsText(event.message.parts);
  if ("artifactUpdate" in event) {
    const { artifact, append, lastChunk } = event.artifactUpdate;
    return `${append === true ? "+" : "="} ${artifact.name ?? artifact.artifactId}: ${partsText(artifact.parts)}${lastChunk === true ? " (last)" : ""}`;
  }
  return describeStatus(event);
}

function describeStatus(event: Extract<StreamResponse, { readonly statusUpdate: unknown }>): string {
  const { status } = event.statusUpdate;
  const data = readExtension(event);
  const own = `${stateWord(status.state)}${status.message === undefined ? "" : `: ${partsText(status.message.parts)}`}`;
  if (data === undefined) return own;
  const path = "path" in data && data.path !== undefined && data.path.length > 0 ? `${data.path.join(" › ")}: ` : "";
  switch (data.kind) {
    case "failure":
      return `${own} (${data.code}${data.reason === undefined ? "" : `, ${data.reason}`})`;
    case "text":
      return path + quoted(data.text);
    case "reasoning":
      return `${path}${data.text === undefined ? `${data.size} characters` : quoted(data.text)}`;
    case "tool-call":
      return `${path}${data.name}(${data.arguments ?? "…"})`;
    case "tool-result":
      return `${path}${data.name} ${data.failed ? "failed" : "→"} ${data.output ?? ""}`.trimEnd();
    case "delegation":
      return `${path}${data.from} → ${data.to} (${data.via})`;
    case "usage":
      return (
        path +
        Object.entries(data.usage)
          .flatMap(([name, value]) => (typeof value === "number" ? [`${name} ${value}`] : []))
          .join(", ")
      );
    case "liveness":
      return data.phase === "stalled" ? `stalled after ${data.stall.silenceMs} ms (${data.stall.threshold} ${data.stall.limitMs})` : data.phase;
    case "note":
      return `${path}${data.name} ${JSON.stringify(data.value) ?? ""}`;
    case "attempt":
      return `${data.attempt}: ${data.reason}`;
    case "input":
    case "reply":
      return partsText(data.message.parts);
    case "turn":
      return `turn ${data.turn}, reads up to ${data.reads}`;
    case "checkpoint":
      return "state saved";
    case "cancel":
      return `by ${data.user}`;
    default:
      return JSON.stringify(data);
  }
}

/** The text of parts; of another part what it is. */
export function partsText(parts: readonly Part[] | undefined): string {
  return (parts ?? [])
    .map((part) => {
      if (part.text !== undefined) return quoted(part.text);
      const name = part.filename ?? part.mediaType ?? "";
      return part.data !== undefined
        ? JSON.stringify(part.data)
        : part.url !== undefined
          ? `[${name === "" ? part.url : name}]`
          : `[${name === "" ? "bytes" : name}]`;
    })
    .join(" ");
}

function stateWord(state: string): string {
  return state.replace("TASK_STATE_", "");
}

/** Line breaks and other white space become visible or single, so that one entry is one line. */
function quoted(text: string): string {
  return text.replaceAll("\n", "⏎").replaceAll(/\s/g, " ");
}
