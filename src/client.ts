export { createClient, stream } from "./lib/browser/create-client.ts";
export { ClientError } from "./lib/browser/client-error.ts";
export { newId, toPart } from "./lib/browser/words.ts";
export type {
  Approval,
  CallOptions,
  Client,
  ClientOptions,
  ConnectionState,
  ConversationPage,
  ConversationQuery,
  EntryStream,
  FeedStreamOptions,
  MessageToSend,
  StreamOptions,
  TaskQuery,
  Watching,
} from "./lib/browser/client.ts";
export type {
  AgentSummary,
  ConversationSummary,
  FeedFrame,
  SendReply,
  ServerInfo,
  StreamEntry,
  StreamOpened,
  TaskDetail,
  TaskSummary,
  TaskSummaryPage,
  UploadedFile,
} from "./lib/model/api.ts";
export type { Artifact, Json, JsonObject, Message, Part, StreamResponse, Task, TaskState, TaskStatus } from "./lib/model/a2a.ts";
export type { Audience } from "./lib/model/entry.ts";
export type { ErrorCode } from "./lib/model/errors.ts";
