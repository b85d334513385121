import { z } from "zod";
import { type Json, type JsonObject, type Message, type Part, type StreamResponse, TASK_STATES, type TaskState } from "../model/a2a.ts";
import type {
  AgentSummary,
  ApiError,
  CardReport,
  ConversationSummary,
  FeedFrame,
  ReaderInfo,
  RemoteBody,
  SendBody,
  SendReply,
  ServerInfo,
  StreamEntry,
  StreamOpened,
  TaskDetail,
  TaskSummary,
  TaskSummaryPage,
  Ticket,
  UploadedFile,
} from "../model/api.ts";

/**
 * The words of `model/api.ts` as schemas: they validate what comes in and make `/api/openapi.json`. `SchemasFit`, at the end, fails to compile where a schema and
 * its type differ.
 */

/** Names of the schemas in `/api/openapi.json`. */
export const SCHEMAS = z.registry<{ readonly id: string; readonly description?: string }>();

const optional = z.exactOptional;
const ms = (about: string) => z.number().describe(`${about}, ms since the epoch`);
const count = z.number().int().min(0);
const json = z.unknown().describe("Any JSON value") as unknown as z.ZodType<Json>;
const jsonObject = z.record(z.string(), z.unknown()) as unknown as z.ZodType<JsonObject>;

/** `a2a.v1.TaskState`. */
export const stateSchema = z.enum(TASK_STATES, `must be one of ${TASK_STATES.join(", ")}`);

/** Who may read an entry. */
export const audienceSchema = z.enum(["public", "extension", "internal"], "must be public, extension or internal");

/** `a2a.v1.Part`, with exactly one content. */
export const partSchema = z
  .object({
    text: optional(z.string()),
    raw: optional(z.string().describe("Base64")),
    url: optional(z.string()),
    data: optional(json),
    metadata: optional(jsonObject),
    filename: optional(z.string()),
    mediaType: optional(z.string()),
  })
  .register(SCHEMAS, { id: "Part", description: "`a2a.v1.Part`: exactly one of text, raw, url, data." });

/** `a2a.v1.Message`. */
export const messageSchema = z
  .object({
    messageId: z.string(),
    contextId: optional(z.string()),
    taskId: optional(z.string()),
    role: z.enum(["ROLE_USER", "ROLE_AGENT"]),
    parts: z.array(partSchema),
    metadata: optional(jsonObject),
    extensions: optional(z.array(z.string())),
    referenceTaskIds: optional(z.array(z.string())),
  })
  .register(SCHEMAS, { id: "Message", description: "`a2a.v1.Message`." });

/** `a2a.v1.StreamResponse`: the specification describes what is inside. */
const eventSchema = z
  .union([z.object({ task: jsonObject }), z.object({ message: jsonObject }), z.object({ statusUpdate: jsonObject }), z.object({ artifactUpdate: jsonObject })])
  .register(SCHEMAS, {
    id: "StreamResponse",
    description: "`a2a.v1.StreamResponse`: the one member's name says what it is.",
  }) as unknown as z.ZodType<StreamResponse>;

/** `StreamEntry`. */
const entrySchema = z
  .object({ seq: count, gen: count, at: ms("When it was made, for display"), attempt: count, audience: audienceSchema, event: eventSchema })
  .register(SCHEMAS, { id: "StreamEntry", description: "One entry of a task's stream." });

/** `StreamOpened`. */
const openedSchema = z
  .object({
    agent: z.string(),
    task: z.string(),
    opening: z.enum(["fresh", "resume", "reset"]),
    snapshot: optional(jsonObject.describe("The Task at `cursor`, where the entries up to there are not sent")),
    cursor: z.string(),
  })
  .register(SCHEMAS, { id: "StreamOpened", description: "How a stream opened; the first event of one." });

/** `FeedFrame`. */
const feedFrameSchema = z
  .object({
    agent: z.string(),
    task: z.string(),
    context: z.string(),
    snapshot: optional(jsonObject.describe("The Task at `floor`, where entries are gone that this feed has not given")),
    floor: optional(count.describe("With `snapshot`: the seq after which entries follow")),
    entries: z.array(entrySchema),
  })
  .register(SCHEMAS, { id: "FeedFrame", description: "Entries of one of the streams of a feed, consecutive per task." });

const taskMembers = {
  agent: z.string(),
  task: z.string(),
  context: z.string(),
  state: stateSchema,
  statusAt: ms("Since when it is in this state"),
  createdAt: ms("When it was created"),
  head: count.describe("The stream's last seq"),
  title: optional(z.string().describe("The beginning of the first user message")),
  match: optional(z.string().describe("Where a search has hit")),
};

/** `TaskSummary`. */
export const taskSchema = z.object(taskMembers).register(SCHEMAS, { id: "TaskSummary", description: "A task in a list." });

/** `TaskDetail`. */
export const taskDetailSchema = z
  .object({ ...taskMembers, cursor: z.string(), sealed: z.boolean(), floor: count, snapshot: jsonObject.describe("`a2a.v1.Task` at `cursor`") })
  .register(SCHEMAS, { id: "TaskDetail", description: "A task whole: read it, then follow its stream from `cursor`; nothing is missed in between." });

/** `UploadedFile`. */
const uploadedFileSchema = z
  .object({
    sha256: z.string(),
    size: count,
    mediaType: z.string(),
    filename: z.string().describe("As it is kept: the name alone, without what systems trip over"),
    url: z.string().describe("Serves it to this caller; as the `url` of a part it sends it"),
  })
  .register(SCHEMAS, { id: "UploadedFile", description: "A file that was uploaded." });

/** Answer to an upload: in the order in which they came. */
export const uploadsSchema = z.object({ files: z.array(uploadedFileSchema) }).register(SCHEMAS, { id: "Uploads", description: "What was uploaded." });

/** `TaskSummaryPage`. */
export const taskPageSchema = z
  .object({ tasks: z.array(taskSchema), nextPageToken: z.string(), total: count })
  .register(SCHEMAS, { id: "TaskSummaryPage", description: 'A page of tasks; `nextPageToken` is "" at the end.' });

/** `ConversationSummary`. */
const conversationSchema = z
  .object({
    agent: z.string(),
    context: z.string(),
    tasks: count,
    title: optional(z.string()),
    state: stateSchema,
    statusAt: ms("Since when its newest task is in this state"),
  })
  .register(SCHEMAS, { id: "ConversationSummary", description: "Tasks of one contextId; title, state and time are of the newest." });

/** A page of `ConversationSummary`. */
export const conversationPageSchema = z
  .object({ conversations: z.array(conversationSchema), nextPageToken: z.string() })
  .register(SCHEMAS, { id: "ConversationPage", description: 'A page of conversations, newest first; `nextPageToken` is "" at the end.' });

/** `AgentSummary`. */
export const agentSchema = z
  .object({
    id: z.string(),
    name: z.string(),
    description: z.string(),
    skills: z.array(z.object({ id: z.string(), name: z.string(), examples: optional(z.array(z.string())) })),
    inputModes: z.array(z.string()),
    outputModes: z.array(z.string()),
    card: z.string().describe("Path or URL of its card"),
    remote: optional(z.object({ url: z.string(), protocol: z.string(), binding: z.string(), shared: z.boolean().describe("Whether all callers have it") })),
  })
  .register(SCHEMAS, { id: "AgentSummary", description: "An agent of this server, or a remote one that was added." });

/** `CardReport`. */
export const cardReportSchema = z
  .object({
    url: z.string(),
    card: jsonObject,
    right: z.boolean(),
    findings: z.array(z.object({ rule: z.string(), level: z.enum(["MUST", "SHOULD", "MAY"]), ok: z.boolean(), found: z.string(), expected: z.string() })),
  })
  .register(SCHEMAS, { id: "CardReport", description: "A card, examined rule by rule; `right` where no MUST is broken." });

/** `RemoteBody`. */
export const remoteBodySchema = z
  .object({
    url: z.string().max(2000).describe("The agent's, its server's or its card's"),
    id: optional(z.string().max(64).describe("Its name here; made from the card's without one")),
    headers: optional(z.record(z.string(), z.string())),
    token: optional(z.string().describe("Sent as `Authorization: Bearer …`")),
    shared: optional(z.boolean().describe("For all callers, who then all act by these headers (role operator); default: for the caller alone")),
  })
  .register(SCHEMAS, { id: "RemoteBody", description: "A foreign agent, and what is sent to it beside." });

/** `ServerInfo`. */
export const serverInfoSchema = z
  .object({
    principal: z.object({ tenant: z.string(), user: z.string(), roles: z.array(z.string()) }),
    version: z.string(),
    logId: z.string(),
    durability: z.enum(["none", "process", "host"]),
    maxBodyBytes: z.number(),
    maxUploadBytes: z.number(),
    uploadTypes: z.array(z.string()),
    features: z.array(z.string()),
  })
  .register(SCHEMAS, { id: "ServerInfo", description: "Who the caller is, and what this server offers." });

/** `Ticket`. */
export const ticketSchema = z
  .object({ ticket: z.string(), expiresAt: ms("Until when") })
  .register(SCHEMAS, { id: "Ticket", description: "Authenticates one GET, as `?ticket=…`." });

/** `SendBody`. */
export const sendBodySchema = z
  .object({
    messageId: z.string().min(1, "must not be empty").describe("The caller's own id: the same again finds the same task"),
    parts: z.array(partSchema).min(1, "must hold at least one part"),
    contextId: optional(z.string().describe("Goes on in this conversation")),
    taskId: optional(z.string().describe("Goes on in this task")),
    metadata: optional(jsonObject),
  })
  .register(SCHEMAS, { id: "SendBody", description: "A message to an agent." });

/** `SendReply`. */
export const sendReplySchema = z
  .union([z.object({ agent: z.string(), task: z.string(), context: z.string(), cursor: z.string() }), z.object({ message: messageSchema })])
  .register(SCHEMAS, {
    id: "SendReply",
    description: "The task that a message went to, whose stream is at `cursor` before it; or the whole reply of an agent that answers without a task.",
  });

/** `ReaderInfo`. */
export const readerSchema = z
  .object({
    agent: z.string(),
    task: z.string(),
    transport: z.enum(["jsonrpc", "rest", "grpc", "v0.3", "a2a-websocket", "sse", "feed", "websocket", "agui", "ai", "openai"]),
    audience: audienceSchema,
    since: ms("Since when it reads"),
    seq: count,
    lag: count,
  })
  .register(SCHEMAS, { id: "ReaderInfo", description: "A reader of a stream in this process." });

/** `ApiError`. */
const errorSchema = z
  .object({
    error: z.object({
      code: z.string(),
      message: z.string(),
      reason: optional(z.string()),
      retryable: z.boolean(),
      retryAfterMs: optional(z.number()),
      fields: optional(z.array(z.object({ field: z.string(), description: z.string() }))),
    }),
  })
  .register(SCHEMAS, { id: "ApiError", description: "Every error. `code` is one of docs/reference/errors.md, `reason` one of docs/reference/reasons.md." });

/** Every member there, of whatever depth: what two types must agree on. Objects with free names are as they are. */
type Whole<T> = T extends string | number | boolean | null | undefined
  ? T
  : T extends readonly (infer One)[]
    ? readonly Whole<One>[]
    : string extends keyof T
      ? T
      : { readonly [Key in keyof T]-?: Whole<Exclude<T[Key], undefined>> };

type Fits<Schema extends z.ZodType, T> = [z.infer<Schema>] extends [T]
  ? [Whole<T>] extends [Whole<z.infer<Schema>>]
    ? [Whole<z.infer<Schema>>] extends [Whole<T>]
      ? true
      : "schema lacks a member that may be absent"
    : "schema takes less"
  : "schema has another shape";

type All<Checks extends readonly true[]> = Checks;

/** Does not compile where a schema and its type differ. */
export type SchemasFit = All<
  [
    Fits<typeof stateSchema, TaskState>,
    Fits<typeof messageSchema, Message>,
    Fits<typeof partSchema, Part>,
    Fits<typeof entrySchema, StreamEntry>,
    Fits<typeof openedSchema, StreamOpened>,
    Fits<typeof feedFrameSchema, FeedFrame>,
    Fits<typeof taskSchema, TaskSummary>,
    Fits<typeof taskDetailSchema, TaskDetail>,
    Fits<typeof taskPageSchema, TaskSummaryPage>,
    Fits<typeof conversationSchema, ConversationSummary>,
    Fits<typeof agentSchema, AgentSummary>,
    Fits<typeof serverInfoSchema, ServerInfo>,
    Fits<typeof cardReportSchema, CardReport>,
    Fits<typeof remoteBodySchema, RemoteBody>,
    Fits<typeof ticketSchema, Ticket>,
    Fits<typeof sendBodySchema, SendBody>,
    Fits<typeof sendReplySchema, SendReply>,
    Fits<typeof readerSchema, ReaderInfo>,
    Fits<typeof uploadedFileSchema, UploadedFile>,
    Fits<typeof errorSchema, ApiError>,
  ]
>;
