import { z } from "zod";
import type { Json, JsonObject } from "../../model/a2a.ts";
import { listOf, parseParams, structSchema } from "../parse.ts";
import { WRAPPED_DATA } from "./to-v03.ts";

/**
 * Parameters of protocol 0.3's JSON-RPC methods as those of the 1.0 operations. Shapes that 0.3 settles are checked here, in its own words; the rest is the
 * operation's to refuse. `null` counts as absent, unknown members are ignored. All throw `invalid-params`.
 */

const text = z.string().nullish();
const struct = structSchema.nullish();
const texts = z.array(z.string()).nullish();

const filePart = z.object({
  kind: z.literal("file"),
  file: z
    .object({ bytes: text, uri: text, mimeType: text, name: text }, "is required (object)")
    .refine((file) => (file.bytes == null) !== (file.uri == null), "must have either bytes or uri"),
  metadata: struct,
});
const partSchema = z.preprocess(
  withKind,
  z.discriminatedUnion(
    "kind",
    [
      z.object({ kind: z.literal("text"), text: z.string(), metadata: struct }),
      filePart,
      z.object({ kind: z.literal("data"), data: structSchema, metadata: struct }),
    ],
    "must be text, file or data",
  ),
);
const messageSchema = z.object(
  {
    messageId: z.string().min(1, "must not be empty"),
    role: z.enum(["user", "agent"], "must be user or agent"),
    parts: listOf(partSchema, "must hold at least one part"),
    contextId: text,
    taskId: text,
    metadata: struct,
    extensions: texts,
    referenceTaskIds: texts,
  },
  "is required (object)",
);
const pushSchema = z.object(
  {
    id: text,
    url: z.string(),
    token: text,
    authentication: z.object({ schemes: texts, credentials: text }).nullish(),
  },
  "is required (object)",
);
const sendSchema = z.object({
  message: messageSchema,
  configuration: z
    .object({ acceptedOutputModes: texts, historyLength: z.number().nullish(), blocking: z.boolean().nullish(), pushNotificationConfig: pushSchema.nullish() })
    .nullish(),
  metadata: struct,
});
const taskSchema = z.object({ id: z.string(), historyLength: z.number().nullish(), metadata: struct });
const pushSetSchema = z.object({ taskId: z.string(), pushNotificationConfig: pushSchema });
const pushIdSchema = z.object({ id: z.string(), pushNotificationConfigId: text });

type V03Part = z.infer<typeof partSchema>;
type V03Push = z.infer<typeof pushSchema>;

/** `message/send`, `message/stream`. Waits unless `blocking` is false, as the 0.3 servers of both official SDKs did. */
export function fromV03Send(params: unknown): JsonObject {
  const { message, configuration, metadata } = parseParams(sendSchema, params);
  const push = configuration?.pushNotificationConfig;
  return present({
    message: present({
      messageId: message.messageId,
      role: message.role === "user" ? "ROLE_USER" : "ROLE_AGENT",
      parts: message.parts.map(fromV03Part),
      contextId: message.contextId,
      taskId: message.taskId,
      metadata: message.metadata,
      extensions: message.extensions,
      referenceTaskIds: message.referenceTaskIds,
    }),
    configuration:
      configuration &&
      present({
        acceptedOutputModes: configuration.acceptedOutputModes,
        historyLength: configuration.historyLength,
        returnImmediately: configuration.blocking === false,
        taskPushNotificationConfig: push && fromV03Push(push),
      }),
    metadata: metadata,
  });
}

/** `tasks/get`, `tasks/cancel`, `tasks/resubscribe`. */
export function fromV03Task(params: unknown): JsonObject {
  const { id, historyLength, metadata } = parseParams(taskSchema, params);
  return present({ id, historyLength, metadata: metadata });
}

/** `tasks/pushNotificationConfig/set`. */
export function fromV03PushSet(params: unknown): JsonObject {
  const { taskId, pushNotificationConfig } = parseParams(pushSetSchema, params);
  return { taskId, ...fromV03Push(pushNotificationConfig) };
}

/** `tasks/pushNotificationConfig/get`, `list`, `delete`: `id` is the task's. Without a configuration's id it is undefined. */
export function fromV03PushId(params: unknown): { readonly taskId: string; readonly id: string | undefined } {
  const { id, pushNotificationConfigId } = parseParams(pushIdSchema, params);
  return { taskId: id, id: pushNotificationConfigId ?? undefined };
}

function fromV03Part(part: V03Part): JsonObject {
  const metadata = part.metadata;
  switch (part.kind) {
    case "text":
      return present({ text: part.text, metadata });
    case "file": {
      const { bytes, uri, mimeType, name } = part.file;
      return present({ raw: bytes, url: uri, mediaType: mimeType, filename: name, metadata });
    }
    case "data": {
      const { data } = part;
      if (metadata?.[WRAPPED_DATA] !== true) return present({ data, metadata });
      const { [WRAPPED_DATA]: _, ...rest } = metadata;
      return { data: data["value"] ?? null, ...(Object.keys(rest).length > 0 && { metadata: rest }) };
    }
  }
}

function fromV03Push({ id, url, token, authentication }: V03Push): JsonObject {
  const [scheme] = authentication?.schemes ?? [];
  return present({ id, url, token, authentication: scheme === undefined ? undefined : present({ scheme, credentials: authentication?.credentials }) });
}

/** Some senders leave `kind` out where the content says it, or call it `type` as 0.2 did. */
function withKind(part: unknown): unknown {
  if (part === null || typeof part !== "object" || "kind" in part) return part;
  const kind = "type" in part ? part.type : ["text", "file", "data"].find((name) => name in part);
  return kind === undefined ? part : { ...part, kind };
}

function present(members: { readonly [member: string]: Json | null | undefined }): JsonObject {
  return Object.fromEntries(Object.entries(members).filter(([, value]) => value !== undefined && value !== null)) as JsonObject;
}
