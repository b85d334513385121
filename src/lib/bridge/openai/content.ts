import { z } from "zod";
import type { Part } from "../../model/a2a.ts";
import type { BridgeEvent } from "../bridge-event.ts";
import { toFilePart } from "../file-parts.ts";
import { type SaidMessage, toLead } from "../history.ts";
import { unsupported } from "./errors.ts";

const text = z.string();
const contentSchema = z.union([
  z.object({ type: z.enum(["text", "input_text", "output_text"]), text }),
  z.object({ type: z.literal("refusal"), refusal: text }),
  z.object({ type: z.literal("image_url"), image_url: z.object({ url: text }) }),
  z.object({ type: z.literal("input_image"), image_url: text }),
  z.object({ type: z.literal("input_audio"), input_audio: z.object({ data: text, format: text }) }),
  z.object({ type: z.literal("file"), file: z.object({ file_data: text, filename: text.optional() }) }),
  z.object({ type: z.literal("input_file"), file_data: text.optional(), file_url: text.optional(), filename: text.optional() }),
]);

/** Content of a message, of either API, as parts. `param` names where it stands. Throws `invalid-params`. */
export function toParts(content: unknown, param: string): readonly Part[] {
  if (typeof content === "string") return [{ text: content }];
  if (content === null || content === undefined) return [];
  const read = z.array(contentSchema).safeParse(content);
  if (!read.success) {
    const types = "texts, images (URL or data URL), audio and files with their data or URL";
    throw unsupported(param, `${param} must be a text, or parts: ${types}. File ids are of OpenAI's store, which this server does not have.`);
  }
  return read.data.map((part): Part => {
    switch (part.type) {
      case "refusal":
        return { text: part.refusal };
      case "image_url":
        return toFilePart(part.image_url.url, {});
      case "input_image":
        return toFilePart(part.image_url, {});
      case "input_audio":
        return { raw: part.input_audio.data, mediaType: part.input_audio.format === "mp3" ? "audio/mpeg" : `audio/${part.input_audio.format}` };
      case "file":
        return fileOf(part.file.file_data, part.file.filename);
      case "input_file": {
        const where = part.file_data ?? part.file_url;
        if (where === undefined) throw unsupported(param, `${param} holds a file without file_data or file_url.`);
        return part.file_data === undefined ? toFilePart(where, { filename: part.filename }) : fileOf(where, part.filename);
      }
      default:
        return { text: part.text };
    }
  });
}

/** File data comes as a data URL, or as bare base64. */
function fileOf(data: string, filename: string | undefined): Part {
  if (data.startsWith("data:")) return toFilePart(data, { filename });
  const mediaType = filename?.toLowerCase().endsWith(".pdf") === true ? "application/pdf" : "application/octet-stream";
  return { raw: data, mediaType, ...(filename !== undefined && { filename }) };
}

/**
 * A conversation that came with the request, as one message: what the last user messages hold, and before it instructions and what was said earlier.
 * Throws `invalid-params` without a user message at the end.
 */
export function toOneMessage(messages: readonly SaidMessage[], param: string): readonly Part[] {
  const lastOther = messages.findLastIndex(({ role }) => role !== "user");
  const asked = messages.slice(lastOther + 1).flatMap(({ parts }) => parts);
  if (asked.length === 0) throw unsupported(param, `${param} must end with a message of the role user: it is what the agent answers.`);
  return [...toLead(messages.slice(0, lastOther + 1)), ...asked];
}

/** What stands in a text for a file or data of the answer: Markdown. */
export function inText(event: BridgeEvent & { readonly kind: "file" | "data" }): string {
  if (event.kind === "data") return `\n\n\`\`\`json\n${JSON.stringify(event.value, null, 2)}\n\`\`\`\n`;
  const name = (event.filename ?? event.mediaType).replaceAll(/[[\]\n]/g, " ");
  return `\n\n${event.mediaType.startsWith("image/") ? "!" : ""}[${name}](${event.url})\n`;
}
