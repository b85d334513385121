import { z } from "zod";
import type { Json } from "../../model/a2a.ts";

/**
 * The wire form of A2A 1.0 (specification 4, 5.5-5.7), strictly: only the members that the proto names, in camelCase, required
 * ones present and not empty, enums by name, times in UTC with `Z`. Absent members are absent, not null.
 */
const text = z.string();
const required = z.string().min(1);
const struct = z.record(z.string(), z.json());
const time = z.string().regex(/^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?Z$/, "a time is ISO 8601 in UTC, ending in Z");
const base64 = z.string().regex(/^[A-Za-z0-9+/]*={0,2}$/, "bytes are standard base64");

const state = z.enum([
  "TASK_STATE_SUBMITTED",
  "TASK_STATE_WORKING",
  "TASK_STATE_COMPLETED",
  "TASK_STATE_FAILED",
  "TASK_STATE_CANCELED",
  "TASK_STATE_INPUT_REQUIRED",
  "TASK_STATE_REJECTED",
  "TASK_STATE_AUTH_REQUIRED",
]);

const part = z
  .strictObject({
    text: text.optional(),
    raw: base64.optional(),
    url: text.optional(),
    data: z.json().optional(),
    metadata: struct.optional(),
    filename: text.optional(),
    mediaType: text.optional(),
  })
  .refine((value) => ["text", "raw", "url", "data"].filter((name) => name in value).length === 1, "a part holds exactly one of text, raw, url, data");

const message = z.strictObject({
  messageId: required,
  contextId: text.optional(),
  taskId: text.optional(),
  role: z.enum(["ROLE_USER", "ROLE_AGENT"]),
  parts: z.array(part).min(1),
  metadata: struct.optional(),
  extensions: z.array(text).optional(),
  referenceTaskIds: z.array(text).optional(),
});

const status = z.strictObject({ state, message: message.optional(), timestamp: time.optional() });

const artifact = z.strictObject({
  artifactId: required,
  name: text.optional(),
  description: text.optional(),
  parts: z.array(part).min(1),
  metadata: struct.optional(),
  extensions: z.array(text).optional(),
});

const task = z.strictObject({
  id: required,
  contextId: text.optional(),
  status,
  artifacts: z.array(artifact).optional(),
  history: z.array(message).optional(),
  metadata: struct.optional(),
});

const statusUpdate = z.strictObject({ taskId: required, contextId: required, status, metadata: struct.optional() });

const artifactUpdate = z.strictObject({
  taskId: required,
  contextId: required,
  artifact,
  append: z.boolean().optional(),
  lastChunk: z.boolean().optional(),
  metadata: struct.optional(),
});

const pushConfig = z.strictObject({
  tenant: text.optional(),
  id: required,
  taskId: text.optional(),
  url: required,
  token: text.optional(),
  authentication: z.strictObject({ scheme: required, credentials: text.optional() }).optional(),
});

const agentInterface = z.strictObject({ url: required, protocolBinding: required, tenant: text.optional(), protocolVersion: required });

const extension = z.strictObject({ uri: required, description: text.optional(), required: z.boolean().optional(), params: struct.optional() });

const skill = z.strictObject({
  id: required,
  name: required,
  description: required,
  tags: z.array(text).min(1),
  examples: z.array(text).optional(),
  inputModes: z.array(text).optional(),
  outputModes: z.array(text).optional(),
  securityRequirements: z.array(struct).optional(),
});

const card = z.strictObject({
  name: required,
  description: required,
  supportedInterfaces: z.array(agentInterface).min(1),
  provider: z.strictObject({ url: required, organization: required }).optional(),
  version: required,
  documentationUrl: text.optional(),
  capabilities: z.strictObject({
    streaming: z.boolean().optional(),
    pushNotifications: z.boolean().optional(),
    extensions: z.array(extension).optional(),
    extendedAgentCard: z.boolean().optional(),
  }),
  securitySchemes: struct.optional(),
  securityRequirements: z.array(struct).optional(),
  defaultInputModes: z.array(required).min(1),
  defaultOutputModes: z.array(required).min(1),
  skills: z.array(skill).min(1),
  signatures: z.array(z.strictObject({ protected: required, signature: required, header: struct.optional() })).optional(),
  iconUrl: text.optional(),
});

/** Strict schemas of the wire objects, by their name in the specification. */
export const shapes = {
  AgentCard: card,
  Task: task,
  Message: message,
  SendMessageResponse: z.union([z.strictObject({ task }), z.strictObject({ message })]),
  StreamResponse: z.union([z.strictObject({ task }), z.strictObject({ message }), z.strictObject({ statusUpdate }), z.strictObject({ artifactUpdate })]),
  ListTasksResponse: z.strictObject({
    tasks: z.array(task),
    nextPageToken: text,
    pageSize: z.number().int().min(1).max(100),
    totalSize: z.number().int().min(0),
  }),
  TaskPushNotificationConfig: pushConfig,
  ListTaskPushNotificationConfigsResponse: z.strictObject({ configs: z.array(pushConfig).optional(), nextPageToken: text.optional() }),
};

/** A Task of the right shape. */
export type WireTask = z.infer<typeof task>;

/** A stream's event of the right shape. */
export type WireEvent = z.infer<typeof shapes.StreamResponse>;

/** A card of the right shape. */
export type WireCard = z.infer<typeof card>;

/** One way in which a value is not what the specification says. */
export interface Deviation {
  /** From the value itself to what is wrong. */
  readonly path: readonly (string | number)[];
  /** The schema's word for it: `invalid_type` (`missing` where nothing is there), `unrecognized_keys`, `invalid_value`, `invalid_format`, `too_small`, `invalid_union`, `custom`. */
  readonly code: string;
  readonly message: string;
  /** Of `unrecognized_keys`. */
  readonly keys?: readonly string[];
}

/** All ways in which `value` is not the named object; none where it is. */
export function deviationsOf(name: keyof typeof shapes, value: unknown): readonly Deviation[] {
  const result = shapes[name].safeParse(value);
  return result.success ? [] : deviations(result.error.issues, value);
}

/** `value` as the named object; throws with every deviation named. */
export function parseShape<K extends keyof typeof shapes>(name: K, value: Json): z.infer<(typeof shapes)[K]> {
  const result = shapes[name].safeParse(value);
  if (result.success) return result.data as z.infer<(typeof shapes)[K]>;
  const found = deviations(result.error.issues, value).map(({ path, message }) => (path.length === 0 ? message : `${path.join(".")}: ${message}`));
  throw new Error(`not a valid ${name}: ${found.join("; ")}\n${JSON.stringify(value).slice(0, 1000)}`);
}

/** Of a union those of the member whose name is there. */
function deviations(issues: readonly z.core.$ZodIssue[], value: unknown): Deviation[] {
  return issues.flatMap((issue): Deviation[] => {
    const path = issue.path.map((step) => (typeof step === "symbol" ? String(step) : step));
    if (issue.code !== "invalid_union") {
      const isMissing = issue.code === "invalid_type" && valueAt(value, path) === undefined;
      return [{ path, code: isMissing ? "missing" : issue.code, message: issue.message, ...(issue.code === "unrecognized_keys" && { keys: issue.keys }) }];
    }
    const meant = issue.errors.find((branch) => !branch.some((item) => item.path.length === 0 || (item.path.length === 1 && item.code === "invalid_type")));
    return meant === undefined ? [{ path, code: issue.code, message: "exactly one known member is expected" }] : deviations(meant, value);
  });
}

/** The value under `path`, or undefined where a step is missing. */
export function valueAt(value: unknown, path: readonly (string | number)[]): unknown {
  let current = value;
  for (const step of path)
    current = typeof current === "object" && current !== null ? (current as Readonly<Record<string | number, unknown>>)[step] : undefined;
  return current;
}
