import type { Message, Part, Task } from "../../model/a2a.ts";
import type { Turn } from "../engine.ts";
import { type ModelEndpoint, takesAudio } from "./provider.ts";

/** An input item of the SDK: a message of the user or of the assistant. */
export type SdkInputItem =
  | { readonly type: "message"; readonly role: "user"; readonly content: readonly SdkContent[] }
  | {
      readonly type: "message";
      readonly role: "assistant";
      readonly status: "completed";
      readonly content: readonly { readonly type: "output_text"; readonly text: string }[];
    };

/** One part of a user's message, as the SDK takes it. */
export type SdkContent =
  | { readonly type: "input_text"; readonly text: string }
  | { readonly type: "input_image"; readonly image: string }
  | { readonly type: "input_file"; readonly file: string; readonly filename: string }
  | { readonly type: "audio"; readonly audio: string; readonly format: string };

/** Media types of files that `toInput` has a form for and that models of the endpoint are known to read; others are for an agent's own `inputModes`. */
export function inputModesOf(endpoint: ModelEndpoint | undefined): readonly string[] {
  const audio = endpoint !== undefined && takesAudio(endpoint) ? ["audio/*"] : [];
  return ["text/plain", "application/json", "text/*", "image/*", "application/pdf", ...audio];
}

/** Files up to this many bytes whose type is text are given to the model as text; every model reads that, few read text files. */
const MAX_TEXT_FILE_BYTES = 256 * 1024;

/**
 * What the model gets: the conversation before this turn, then the tasks that the input refers to, then the input.
 * Text and data parts become text; images, audio and other files become what the SDK has for them, with their bytes. An image's URL is
 * handed on as it is; other URLs and stored bytes are fetched by `turn.load`, because chat completions take no files by URL.
 * A file of an earlier turn that is gone is only named; one of this turn that cannot be had fails it.
 */
export async function toInput(turn: Turn): Promise<readonly SdkInputItem[]> {
  const [history, references] = await Promise.all([turn.history(), turn.references()]);
  const items: SdkInputItem[] = [];
  for (const message of history) items.push(...(await toItem(message, turn)));
  const refered = references.map(describe);
  for (const [index, message] of turn.input.entries()) {
    const more = index === 0 ? refered.map((said): SdkContent => ({ type: "input_text", text: said })) : [];
    items.push(...(await toItem(message, turn, more)));
  }
  return items;
}

async function toItem(message: Message, turn: Turn, more: readonly SdkContent[] = []): Promise<readonly SdkInputItem[]> {
  if (message.role === "ROLE_AGENT") {
    const said = message.parts.map(plainText).filter((one) => one !== "");
    return said.length === 0
      ? []
      : [{ type: "message", role: "assistant", status: "completed", content: said.map((one) => ({ type: "output_text", text: one })) }];
  }
  const read = (part: Part): Promise<SdkContent> => {
    const content = toContent(part, turn);
    return turn.input.includes(message) ? content : content.catch(() => ({ type: "input_text", text: plainText(part) }));
  };
  const content = [...more, ...(await Promise.all(message.parts.map(read)))];
  return content.length === 0 ? [] : [{ type: "message", role: "user", content }];
}

async function toContent(part: Part, turn: Turn): Promise<SdkContent> {
  if (part.text !== undefined) return { type: "input_text", text: part.text };
  if (part.data !== undefined) return { type: "input_text", text: JSON.stringify(part.data) };
  const type = (part.mediaType ?? "application/octet-stream").toLowerCase();
  if (part.url !== undefined && type.startsWith("image/") && /^(?:https?|data):/i.test(part.url)) return { type: "input_image", image: part.url };
  const base64 = part.raw ?? Buffer.from(await turn.load(part)).toString("base64");
  return fromBytes(base64, type, part.filename);
}

function fromBytes(base64: string, type: string, filename: string | undefined): SdkContent {
  const [kind = "", format = ""] = type.split(";", 1)[0]?.split("/") ?? [];
  if (kind === "image") return { type: "input_image", image: `data:${type};base64,${base64}` };
  if (kind === "audio") return { type: "audio", audio: base64, format: AUDIO_FORMATS[format] ?? format };
  if ((kind === "text" || type === "application/json") && base64.length * 0.75 <= MAX_TEXT_FILE_BYTES) {
    const body = Buffer.from(base64, "base64").toString("utf8");
    return { type: "input_text", text: filename === undefined ? body : `File ${filename}:\n${body}` };
  }
  return { type: "input_file", file: `data:${type};base64,${base64}`, filename: filename ?? `file.${format || "bin"}` };
}

const AUDIO_FORMATS: Readonly<Record<string, string>> = { mpeg: "mp3", "x-wav": "wav", wave: "wav", "x-flac": "flac" };

/** A part as words, for the side of the conversation that models keep as text: a file is only named. */
function plainText(part: Part): string {
  if (part.text !== undefined) return part.text;
  if (part.data !== undefined) return JSON.stringify(part.data);
  return `[file ${part.filename ?? part.mediaType ?? "without a name"}]`;
}

function describe(task: Task): string {
  const artifacts = (task.artifacts ?? []).map(({ artifactId, name, parts }) => `Artifact ${name ?? artifactId}:\n${parts.map(plainText).join("")}`);
  return [`The user refers to the task ${task.id} (${task.status.state}).`, ...artifacts].join("\n");
}
