import { z } from "zod";
import type { Json, JsonObject } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import type { PushConfig } from "./operations.ts";

/**
 * Parameters of the operations as ProtoJSON (specification 5.5): field names in camelCase or as in the proto, unknown fields ignored, `null` as absent.
 * Shapes only; what a limit or an agent forbids is checked where it matters.
 */

/** An object message: keys to camelCase, nulls out, unknown keys ignored. Maps (`metadata`, `data`) are not messages and stay as they are. */
function message<Shape extends z.ZodRawShape>(shape: Shape) {
  return z.preprocess(camelKeys, z.object(shape));
}

function camelKeys(value: unknown): unknown {
  if (value === null || typeof value !== "object" || Array.isArray(value)) return value;
  const result: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    if ((member !== null || isContent(key, value)) && key !== "__proto__")
      result[key.replaceAll(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase())] = member;
  }
  return result;
}

/** `data: null` of a part is a value (`google.protobuf.Value`), unless the part has other content. */
function isContent(key: string, part: object): boolean {
  return key === "data" && ["text", "raw", "url"].every((name) => ((part as Readonly<Record<string, unknown>>)[name] ?? null) === null);
}

const json = z.json() as z.ZodType<Json>;
const struct = z.record(z.string(), json) as z.ZodType<JsonObject>;
const id = z.string().min(1, "must not be empty");
const tenant = z.string().optional();
const WHOLE = "must be a whole number";
const int = z
  .union(
    [
      z.number(),
      z
        .string()
        .regex(/^-?\d+$/)
        .transform(Number),
    ],
    WHOLE,
  )
  .pipe(z.number(WHOLE).int(WHOLE).min(-2147483648, "must be a whole number of 32 bits").max(2147483647, "must be a whole number of 32 bits"));
const count = int.pipe(z.number().min(0, "must be 0 or more"));
const boolean = z.union([z.boolean(), z.enum(["true", "false"]).transform((text) => text === "true")], "must be true or false");

/** `a2a.v1.Part`. */
export const partSchema = message({
  text: z.string().optional(),
  raw: z.string().optional(),
  url: z.string().optional(),
  data: json.optional(),
  metadata: struct.optional(),
  filename: z.string().optional(),
  mediaType: z.string().optional(),
}).refine((part) => [part.text, part.raw, part.url, part.data].filter((content) => content !== undefined).length === 1, {
  message: "must have exactly one of text, raw, url, data",
});

/** `a2a.v1.Message`, as a caller sends it. */
export const messageSchema = message({
  messageId: id,
  contextId: z.string().optional(),
  taskId: z.string().optional(),
  role: z.enum(["ROLE_USER", "ROLE_AGENT"], "must be ROLE_USER or ROLE_AGENT"),
  parts: z.array(partSchema).min(1, "must hold at least one part"),
  metadata: struct.optional(),
  extensions: z.array(z.string()).optional(),
  referenceTaskIds: z.array(z.string()).optional(),
});

const pushConfigSchema = message({
  tenant,
  id: z.string().optional(),
  taskId: z.string().optional(),
  url: id,
  token: z.string().optional(),
  authentication: message({ scheme: id, credentials: z.string().optional() }).optional(),
});

/** `a2a.v1.SendMessageRequest`. */
export const sendSchema = message({
  tenant,
  message: messageSchema,
  configuration: message({
    acceptedOutputModes: z.array(z.string()).optional(),
    taskPushNotificationConfig: pushConfigSchema.optional(),
    historyLength: count.optional(),
    returnImmediately: boolean.optional(),
  }).optional(),
  metadata: struct.optional(),
});

/** `a2a.v1.GetTaskRequest`. */
export const getTaskSchema = message({ tenant, id, historyLength: count.optional() });

/** `a2a.v1.CancelTaskRequest` and `SubscribeToTaskRequest`. */
export const taskIdSchema = message({ tenant, id, metadata: struct.optional() });

/** `a2a.v1.TaskPushNotificationConfig`, as CreateTaskPushNotificationConfig takes it. */
export const pushCreateSchema = pushConfigSchema.refine((config) => config.taskId !== undefined && config.taskId !== "", {
  message: "must not be empty",
  path: ["taskId"],
});

/** One configuration of a task, to get or to delete. */
export const pushIdSchema = message({ tenant, taskId: id, id });

/** `a2a.v1.ListTaskPushNotificationConfigsRequest`. */
export const pushListSchema = message({ tenant, taskId: id, pageSize: int.optional(), pageToken: z.string().optional() });

const STATES = [
  "TASK_STATE_SUBMITTED",
  "TASK_STATE_WORKING",
  "TASK_STATE_COMPLETED",
  "TASK_STATE_FAILED",
  "TASK_STATE_CANCELED",
  "TASK_STATE_INPUT_REQUIRED",
  "TASK_STATE_REJECTED",
  "TASK_STATE_AUTH_REQUIRED",
] as const;

/** `a2a.v1.ListTasksRequest`; the specification says what is left out of it (3.1.4). */
export const listTasksSchema = message({
  tenant,
  contextId: z.string().optional(),
  status: z.enum(["TASK_STATE_UNSPECIFIED", ...STATES], `must be one of ${STATES.join(", ")}`).optional(),
  pageSize: int.pipe(z.number().min(1, "must be 1 to 100").max(100, "must be 1 to 100")).optional(),
  pageToken: z.string().optional(),
  historyLength: count.optional(),
  statusTimestampAfter: z.iso.datetime({ offset: true, error: "must be an ISO 8601 time such as 2026-01-31T12:00:00Z" }).optional(),
  includeArtifacts: boolean.optional(),
});

/** A `SendMessageRequest` whose shape is right. */
export type SendParams = z.infer<typeof sendSchema>;

/** Its message. */
export type SentMessage = z.infer<typeof messageSchema>;

/** A webhook as a caller gave it, of a task that is named elsewhere; an empty `id` gets one. */
export function toPushConfig({ id = "", url, token, authentication }: z.infer<typeof pushConfigSchema>): Omit<PushConfig, "taskId"> {
  const { scheme, credentials } = authentication ?? {};
  return {
    id,
    url,
    ...(token !== undefined && { token }),
    ...(scheme !== undefined && { authentication: { scheme, ...(credentials !== undefined && { credentials }) } }),
  };
}

/** `params` in the shape of `schema`. Throws `invalid-params` that names each field at fault and what is right. */
export function parseParams<Schema extends z.ZodType>(schema: Schema, params: unknown): z.infer<Schema> {
  const ill = findIllFormed(params, "");
  if (ill !== undefined) {
    const description = "holds a lone surrogate, which is not Unicode text";
    throw new IasError("invalid-params", `${ill} ${description}`, { fields: [{ field: ill, description }] });
  }
  const result = schema.safeParse(params ?? {});
  if (result.success) return result.data;
  const fields = result.error.issues.slice(0, 20).map((issue) => ({ field: issue.path.join(".") || "params", description: describe(issue.message) }));
  throw new IasError("invalid-params", fields.map(({ field, description }) => `${field} ${description}`).join("; "), { fields });
}

function describe(text: string): string {
  const missing = /^Invalid input: expected (\w+), received undefined$/.exec(text);
  if (missing !== null) return `is required (${missing[1]})`;
  const wrong = /^Invalid input: expected (\w+), received (\w+)$/.exec(text);
  return wrong === null ? text : `must be of type ${wrong[1]}, not ${wrong[2]}`;
}

/** The path of the first text that is not well-formed UTF-16: it could be neither kept as UTF-8 nor sent over gRPC. */
function findIllFormed(value: unknown, path: string): string | undefined {
  if (typeof value === "string") return value.isWellFormed() ? undefined : path || "params";
  if (value === null || typeof value !== "object") return undefined;
  for (const [key, member] of Object.entries(value)) {
    const found = key.isWellFormed() ? findIllFormed(member, path === "" ? key : `${path}.${key}`) : path || "params";
    if (found !== undefined) return found;
  }
  return undefined;
}
