/**
 * Every limit of a server, in one table: name, default, and what happens there. `docs/limits.md` restates it and a test compares the two.
 * Each is an option of `serve` and of the recipes; a value of `Infinity` takes the limit away where the comment says so.
 */
export interface Limits {
  /** Largest frame to a reader, bytes. A larger snapshot is split (SEMANTICS 8). */
  readonly maxFrameBytes: number;
  /** Largest Task that GetTask or a blocking SendMessage returns, bytes; beyond it contents become URLs. A page of ListTasks ends before the task that would pass it, and has at least one. */
  readonly maxInlineBytes: number;
  /** Largest request body, bytes: `too-large`. */
  readonly maxBodyBytes: number;
  /** Bodies that are being received at once, bytes beside the first 64 KiB of each: `limit-reached`, retryable; and the same of WebSockets' messages: close code 1013. */
  readonly maxBufferedBytes: number;
  /** Deepest nesting of a JSON body: `invalid-request`. */
  readonly maxJsonDepth: number;
  /** Most values (members of objects, items of lists) in a request: `too-large`. Each costs about a microsecond of the one thread that serves everybody. */
  readonly maxJsonValues: number;
  /** Largest part content kept in an entry, bytes; larger raw parts go to the blob store. */
  readonly maxRawPartBytes: number;
  /** Largest raw part that goes out inline, bytes; larger ones are a signed URL. */
  readonly maxRawOutBytes: number;
  /** Longest content of a message beside raw files, characters of JSON: `too-large`. */
  readonly maxMessageBytes: number;
  /** Most parts in a message: `invalid-params`. */
  readonly maxMessageParts: number;
  /** Longest caller-made id (messageId, contextId, taskId), characters: `invalid-params`. */
  readonly maxIdLength: number;
  /** Largest event that an agent may emit, bytes: text is split into several entries, of a tool's arguments and output the beginning is shown, anything else fails the turn with `too-large`. */
  readonly maxEntryBytes: number;
  /** Turns that run at once in a process; more wait. */
  readonly maxParallelTurns: number;
  /** Turns of one user that run at once in a process; more wait, and users take turns. Without authentication all callers are one user, and this is not asked. */
  readonly maxParallelTurnsPerUser: number;
  /** Turns that wait in a process: `limit-reached`, retryable. */
  readonly maxQueuedTurns: number;
  /** Turns of one user that wait in a process: `limit-reached`, retryable. Not asked without authentication. */
  readonly maxQueuedTurnsPerUser: number;
  /** Messages that wait in one conversation or one working task: `limit-reached`, retryable. */
  readonly maxQueuedPerConversation: number;
  /** Longest turn, ms: FAILED with reason TURN_TOO_LONG. Infinity (no limit) by default: liveness is content, not time. */
  readonly maxTurnMs: number;
  /** Attempts of one turn, restarts after crashes included; then it is FAILED with reason TOO_MANY_ATTEMPTS. */
  readonly maxAttempts: number;
  /** Uncommitted text of a turn, bytes: the engine is not asked for more until some is committed. */
  readonly maxUncommittedBytes: number;
  /** Messages of a conversation that an engine gets as history, newest kept. */
  readonly maxHistoryMessages: number;
  /** Largest file that is kept, bytes: `too-large`. */
  readonly maxBlobBytes: number;
  /** Largest file that an agent loads, bytes, wherever it comes from: `too-large`. */
  readonly maxLoadBytes: number;
  /** How long a signed URL of a file works at least, ms; at most twice as long. */
  readonly fileUrlMs: number;
  /** Largest file that is uploaded, bytes: `too-large`. */
  readonly maxUploadBytes: number;
  /** Most files in one upload: `too-large`. */
  readonly maxUploadFiles: number;
  /** What one user may have uploaded without sending it, bytes, of each file at least 16 KiB: `limit-reached`, retryable. */
  readonly maxWaitingUploadBytes: number;
  /** An upload that no message takes is removed after this time, ms; at most twice as long. */
  readonly uploadTtlMs: number;
  /** Webhooks of one task: `limit-reached`. */
  readonly maxPushConfigs: number;
  /** Webhook requests under way at once; more wait, and users take turns. */
  readonly maxParallelPushes: number;
  /** Until a webhook's answer, ms; then it is tried again. */
  readonly pushTimeoutMs: number;
  /** A webhook that fails for so long, ms, gets only the final Task (SEMANTICS 20). */
  readonly pushGiveUpMs: number;
  /** And so does one that fails so often in a row. */
  readonly pushGiveUpFailures: number;
  /** Heartbeat comment on quiet streams, ms (SEMANTICS 9). */
  readonly heartbeatMs: number;
  /** Age at which a stream is ended, so that clients reconnect, ms; with 10 % jitter. */
  readonly maxStreamMs: number;
  /** Readers of a process, streams that are open by whichever way: `limit-reached`, retryable. */
  readonly maxReaders: number;
  /** Readers of one user in a process: `limit-reached`, retryable. Not asked without authentication. */
  readonly maxReadersPerUser: number;
  /** WebSocket connections of a process: `limit-reached`, or close code 1013 for browsers. */
  readonly maxSockets: number;
  /** WebSocket connections of one user in a process: `limit-reached`, or close code 1013 for browsers. Not asked without authentication. */
  readonly maxSocketsPerUser: number;
  /** Streams at once on one WebSocket: `limit-reached`. */
  readonly maxSocketStreams: number;
  /** Requests under way at once on one WebSocket: `limit-reached`, retryable. */
  readonly maxSocketCalls: number;
  /** Longest message that a WebSocket takes, bytes: close code 4413. */
  readonly maxSocketMessageBytes: number;
  /** Credit of a stream on `/api/ws` whose reader names none, bytes. */
  readonly socketCreditBytes: number;
  /** Requests to `/api` of one caller, a second in the long run, messages and cancels over `/api/ws` among them: `limit-reached` with reason RATE_LIMITED. Infinity takes it away. */
  readonly maxApiRate: number;
  /** Requests to `/api` of one caller at once. */
  readonly maxApiBurst: number;
  /** Requests to `/api` from one address, a second in the long run, whoever sends them: `limit-reached` with reason RATE_LIMITED. Infinity takes it away. */
  readonly maxAddressRate: number;
  /** Requests to `/api` from one address at once. */
  readonly maxAddressBurst: number;
  /** Foreign agents that may be added while the server runs: `limit-reached`. */
  readonly maxRemotes: number;
  /** Foreign agents that one user may add: `limit-reached`. Not asked without authentication. */
  readonly maxRemotesPerUser: number;
  /** How long a page's session lasts, ms; then it signs in again. */
  readonly sessionMs: number;
  /** How long a one-time ticket is good, ms: `unauthenticated` with reason TICKET_INVALID. */
  readonly ticketMs: number;
  /** Least time between two checkpoints of a feed, ms: what a reader that was cut off may get again. */
  readonly feedCheckpointMs: number;
  /** Wait for the owner of a turn before the server cancels it itself, ms (SEMANTICS 18). */
  readonly cancelWaitMs: number;
  /** Longest that entry 1 is held for an agent that may answer with a message, ms (SEMANTICS 6). */
  readonly replyHoldMs: number;
  /** How long running turns go on when the server is told to stop, ms; then they are left to the next start. */
  readonly drainGraceMs: number;
  /** Finished tasks are removed after this time, ms. Infinity (kept for ever) by default. */
  readonly retainTasksMs: number;
  /** Finished tasks that are kept; the oldest go first. Infinity by default. */
  readonly retainTasks: number;
  /** A task whose caller asked that it is not stored (`store: false` of OpenAI's API) is removed so long after its end, ms; one that waits for its user so long is canceled. */
  readonly unstoredTaskMs: number;
  /** Entries that a rolling stream keeps behind its head; older ones become a snapshot. */
  readonly rollKeepEntries: number;
  /** Idempotency records are kept as long as their task, and at least this long after its end, ms (SEMANTICS 16). */
  readonly onceTtlMs: number;
}

/** The defaults. */
export const DEFAULT_LIMITS: Limits = {
  maxFrameBytes: 256 * 1024,
  maxInlineBytes: 4 * 1024 * 1024,
  maxBodyBytes: 16 * 1024 * 1024,
  maxBufferedBytes: 256 * 1024 * 1024,
  maxJsonDepth: 64,
  maxJsonValues: 100_000,
  maxRawPartBytes: 16 * 1024,
  maxRawOutBytes: 256 * 1024,
  maxMessageBytes: 1024 * 1024,
  maxMessageParts: 1000,
  maxIdLength: 256,
  maxEntryBytes: 192 * 1024,
  maxParallelTurns: 256,
  maxParallelTurnsPerUser: 128,
  maxQueuedTurns: 10_000,
  maxQueuedTurnsPerUser: 5000,
  maxQueuedPerConversation: 100,
  maxTurnMs: Number.POSITIVE_INFINITY,
  maxAttempts: 10,
  maxUncommittedBytes: 256 * 1024,
  maxHistoryMessages: 200,
  maxBlobBytes: 1024 * 1024 * 1024,
  maxLoadBytes: 32 * 1024 * 1024,
  fileUrlMs: 24 * 3_600_000,
  maxUploadBytes: 32 * 1024 * 1024,
  maxUploadFiles: 20,
  maxWaitingUploadBytes: 256 * 1024 * 1024,
  uploadTtlMs: 24 * 3_600_000,
  maxPushConfigs: 20,
  maxParallelPushes: 64,
  pushTimeoutMs: 30_000,
  pushGiveUpMs: 24 * 3_600_000,
  pushGiveUpFailures: 1000,
  heartbeatMs: 15_000,
  maxStreamMs: 3_600_000,
  maxReaders: 20_000,
  maxReadersPerUser: 10_000,
  maxSockets: 5000,
  maxSocketsPerUser: 2500,
  maxSocketStreams: 1000,
  maxSocketCalls: 100,
  maxSocketMessageBytes: 16 * 1024 * 1024,
  socketCreditBytes: 256 * 1024,
  maxApiRate: 200,
  maxApiBurst: 1000,
  maxAddressRate: 1000,
  maxAddressBurst: 5000,
  maxRemotes: 200,
  maxRemotesPerUser: 20,
  sessionMs: 12 * 3_600_000,
  ticketMs: 60_000,
  feedCheckpointMs: 1000,
  cancelWaitMs: 500,
  replyHoldMs: 2000,
  drainGraceMs: 10_000,
  retainTasksMs: Number.POSITIVE_INFINITY,
  retainTasks: Number.POSITIVE_INFINITY,
  unstoredTaskMs: 5 * 60_000,
  rollKeepEntries: 10_000,
  onceTtlMs: 24 * 3_600_000,
};

/** What one user may take of a server that several share. Where nobody says who they are, these limits are away unless they are set. */
export const NO_QUOTAS = {
  maxParallelTurnsPerUser: Number.POSITIVE_INFINITY,
  maxQueuedTurnsPerUser: Number.POSITIVE_INFINITY,
  maxReadersPerUser: Number.POSITIVE_INFINITY,
  maxSocketsPerUser: Number.POSITIVE_INFINITY,
  maxRemotesPerUser: Number.POSITIVE_INFINITY,
} as const satisfies Partial<Limits>;

/** Media types of files that are taken as uploads, `image/*` or whole. What is no known type of these has to be text, or is refused. */
export const DEFAULT_UPLOAD_TYPES: readonly string[] = [
  "image/*",
  "audio/*",
  "video/*",
  "text/*",
  "application/json",
  "application/x-ndjson",
  "application/xml",
  "application/yaml",
  "application/pdf",
  "application/zip",
  "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
  "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
  "application/vnd.openxmlformats-officedocument.presentationml.presentation",
];
