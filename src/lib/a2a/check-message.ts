import type { Agent } from "../engine/agent.ts";
import { BLOB_SCHEME } from "../media/media.ts";
import type { JsonObject, Message } from "../model/a2a.ts";
import { IasError, invalidField } from "../model/errors.ts";
import type { Limits } from "../model/limits.ts";
import type { SentMessage } from "./parse.ts";

/** A caller's message, when limits and the agent admit it. Throws `invalid-params`, `too-large`, `content-type-not-supported`. */
export function checkMessage(limits: Limits, agent: Agent, message: SentMessage, metadata: JsonObject | undefined): Message {
  if (message.role !== "ROLE_USER") throw invalidField("message.role", 'must be ROLE_USER (in 0.3 "user"): only agents send the other');
  for (const name of ["messageId", "contextId", "taskId"] as const) {
    const value = message[name];
    if (value !== undefined && value.length > limits.maxIdLength)
      throw invalidField(`message.${name}`, `is ${value.length} characters long; at most ${limits.maxIdLength} (maxIdLength)`);
  }
  if (message.parts.length > limits.maxMessageParts)
    throw invalidField("message.parts", `has ${message.parts.length} parts; at most ${limits.maxMessageParts} (maxMessageParts)`);
  const size = JSON.stringify({ ...message, parts: message.parts.map((part) => ({ ...part, raw: undefined })), metadata: [message.metadata, metadata] }).length;
  if (size > limits.maxMessageBytes) {
    throw new IasError(
      "too-large",
      `The message has ${size} characters beside files; at most ${limits.maxMessageBytes} (maxMessageBytes). Send long texts as a file part.`,
    );
  }
  message.parts.forEach((part, index) => {
    if (part.url?.startsWith(BLOB_SCHEME) === true)
      throw invalidField(`message.parts.${index}.url`, `must not be of the scheme ${BLOB_SCHEME} (it is internal)`);
    const type = part.mediaType;
    // What text and data are anyway is taken, named or not: `inputModes` is about what goes beyond that.
    const modes = [...agent.inputModes, ...(part.text !== undefined ? ["text/plain"] : part.data !== undefined ? ["application/json"] : [])];
    if (type !== undefined && type !== "" && !modes.some((mode) => admits(mode, type))) {
      throw new IasError(
        "content-type-not-supported",
        `The agent ${agent.id} does not take ${JSON.stringify(type.slice(0, 100))} (message.parts.${index}); it takes ${agent.inputModes.join(", ")}.`,
        {
          details: { mediaType: type.slice(0, 100) },
        },
      );
    }
  });
  const { contextId, taskId, ...rest } = message;
  // Proto3 strings have no absence: "" means not given.
  return { ...rest, ...(contextId !== undefined && contextId !== "" && { contextId }), ...(taskId !== undefined && taskId !== "" && { taskId }) } as Message;
}

/** Whether an input mode such as `image/*` admits a media type; parameters (`; charset=…`) do not matter. */
function admits(mode: string, type: string): boolean {
  const plain = (type.split(";")[0] ?? "").trim().toLowerCase();
  const wanted = mode.toLowerCase();
  return wanted === "*/*" || wanted === "*" || wanted === plain || (wanted.endsWith("/*") && plain.startsWith(wanted.slice(0, -1)));
}
