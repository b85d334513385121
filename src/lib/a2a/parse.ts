import { z } from "zod";
import { type Json, type JsonObject, TASK_STATES } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { MAX_FAULTS, toFaults } from "../model/faults.ts";
import { isObject } from "../model/json.ts";
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

// What is checked here came out of JSON or protobuf, so it can be nothing else than JSON; to walk it through a schema costs 30 times what reading it does.
const json = z.unknown() as z.ZodType<Json>;
/** Any JSON object. */
export const structSchema = z.custom<JsonObject>(isObject, "must be an object");

/** An array of at least one item. Items are checked one after the other and only up to the twentieth fault: a body full of faults must not cost more than a right one. */
export function listOf<Item extends z.ZodType>(item: Item, empty: string) {
  return z
    .array(z.unknown())
    .min(1, empty)
    .transform((values, context): z.infer<Item>[] => {
      const items: z.infer<Item>[] = [];
      let faults = 0;
      for (const [index, value] of values.entries()) {
        const result = item.safeParse(value);
        if (result.success) items.push(result.data);
        else {
          for (const { message, path } of result.error.issues) context.addIssue({ code: "custom", message, path: [index, ...path] });
          faults += result.error.issues.length;
          if (faults >= MAX_FAULTS) break;
        }
      }
      return items;
    });
}

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
  metadata: structSchema.optional(),
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
  parts: listOf(partSchema, "must hold at least one part"),
  metadata: structSchema.optional(),
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
  metadata: structSchema.optional(),
});

/** `a2a.v1.GetTaskRequest`. */
export const getTaskSchema = message({ tenant, id, historyLength: count.optional() });

/** `a2a.v1.CancelTaskRequest` and `SubscribeToTaskRequest`. */
export const taskIdSchema = message({ tenant, id, metadata: structSchema.optional() });

/** `a2a.v1.TaskPushNotificationConfig`, as CreateTaskPushNotificationConfig takes it. */
export const pushCreateSchema = pushConfigSchema.refine((config) => config.taskId !== undefined && config.taskId !== "", {
  message: "must not be empty",
  path: ["taskId"],
});

/** One configuration of a task, to get or to delete. */
export const pushIdSchema = message({ tenant, taskId: id, id });

/** `a2a.v1.ListTaskPushNotificationConfigsRequest`. */
export const pushListSchema = message({
  tenant,
  taskId: id,
  pageSize: int.pipe(z.number().min(0, "must be 1 or more")).optional(),
  pageToken: z.string().optional(),
});

/** `a2a.v1.ListTasksRequest`; the specification says what is left out of it (3.1.4). */
export const listTasksSchema = message({
  tenant,
  contextId: z.string().optional(),
  status: z.enum(["TASK_STATE_UNSPECIFIED", ...TASK_STATES], `must be one of ${TASK_STATES.join(", ")}`).optional(),
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

/** `params` in the shape of `schema`. Throws `invalid-params` that names each field at fault (of very many the first) and what is right. */
export function parseParams<Schema extends z.ZodType>(schema: Schema, params: unknown): z.infer<Schema> {
  const odd = findOdd(params);
  if (odd !== undefined) {
    const field = odd.path.join(".") || "params";
    throw new IasError("invalid-params", `${field} ${odd.description}`, { fields: [{ field, description: odd.description }] });
  }
  const result = schema.safeParse(params ?? {});
  if (result.success) return result.data;
  const fields = toFaults(result.error.issues, "params");
  throw new IasError("invalid-params", fields.map(({ field, description }) => `${field} ${description}`).join("; "), { fields });
}

interface Odd {
  readonly path: string[];
  readonly description: string;
}

const ILL_FORMED = "holds a lone surrogate, which is not Unicode text";

/** The first value that could not be kept as it is: text that is not well-formed UTF-16 (neither UTF-8 nor gRPC has it), a number beyond a double (JSON would make it null). */
function findOdd(value: unknown): Odd | undefined {
  if (typeof value === "string") return value.isWellFormed() ? undefined : { path: [], description: ILL_FORMED };
  if (typeof value === "number") return Number.isFinite(value) ? undefined : { path: [], description: "is a number too large for a double" };
  if (value === null || typeof value !== "object") return undefined;
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index += 1) {
      const found = findOdd(value[index]);
      if (found !== undefined) return under(String(index), found);
    }
    return undefined;
  }
  for (const key of Object.keys(value)) {
    if (!key.isWellFormed()) return { path: [], description: ILL_FORMED };
    const found = findOdd((value as Readonly<Record<string, unknown>>)[key]);
    if (found !== undefined) return under(key, found);
  }
  return undefined;
}

/** The path is put together on the way back: most requests have nothing odd. */
function under(key: string, { path, description }: Odd): Odd {
  return { path: [key, ...path], description };
}
