import type { JsonObject, Message, Part, StreamResponse, TaskState } from "./a2a.ts";
import type { Audience } from "./entry.ts";

/**
 * The words of the API under `/api`, the same for its server, its sockets, the browser client and the inspector. Schemas in `api/` validate what comes in and
 * make `/api/openapi.json`; a compile-time check holds them to these types. Times are ms since the epoch, sizes bytes.
 */

/** One entry of a task's stream, its event as JSON and not as text. */
export interface StreamEntry {
  readonly seq: number;
  readonly gen: number;
  readonly at: number;
  readonly attempt: number;
  readonly audience: Audience;
  readonly event: StreamResponse;
}

/** How a stream opened (SEMANTICS 4), told before its first entry. `fresh` begins at entry 1, or with `snapshot` where earlier entries are gone. */
export interface StreamOpened {
  readonly agent: string;
  readonly task: string;
  readonly opening: "fresh" | "resume" | "reset";
  /** What the task amounted to at `cursor`, where the entries up to there are not sent. */
  readonly snapshot?: JsonObject;
  /** From where entries follow. */
  readonly cursor: string;
}

/**
 * Entries of one of the streams of a feed. Consecutive per task; a repeat after a reconnect is known by (agent, task, seq). A task of an agent that may reply without one
 * comes once it has shown that it is one (SEMANTICS 6).
 */
export interface FeedFrame {
  readonly agent: string;
  readonly task: string;
  readonly context: string;
  /** What the task amounted to at `floor`, where entries are gone that this feed has not given: it takes the place of what was had of the task. */
  readonly snapshot?: JsonObject;
  /** With `snapshot`: the seq after which entries follow. */
  readonly floor?: number;
  readonly entries: readonly StreamEntry[];
}

/** A task in a list. */
export interface TaskSummary {
  readonly agent: string;
  readonly task: string;
  readonly context: string;
  readonly state: TaskState;
  readonly statusAt: number;
  readonly createdAt: number;
  /** The stream's last seq. */
  readonly head: number;
  /** The beginning of the first user message, and of a search's hit; at most 200 characters. */
  readonly title?: string;
  readonly match?: string;
}

/** A task whole: read it, then follow its stream from `cursor`, and nothing is missed in between. */
export interface TaskDetail extends TaskSummary {
  /** The cursor of `snapshot`. */
  readonly cursor: string;
  /** It has ended: no entry follows `head`. */
  readonly sealed: boolean;
  /** Entries up to here are gone; 0 when all are kept. */
  readonly floor: number;
  /** The A2A Task. */
  readonly snapshot: JsonObject;
}

/** A page of tasks. `nextPageToken` is "" at the end. */
export interface TaskSummaryPage {
  readonly tasks: readonly TaskSummary[];
  readonly nextPageToken: string;
  readonly total: number;
}

/** Tasks that share a contextId, newest first. */
export interface ConversationSummary {
  readonly agent: string;
  readonly context: string;
  readonly tasks: number;
  readonly title?: string;
  readonly state: TaskState;
  readonly statusAt: number;
}

/** An agent of this server, or a remote one that was added. */
export interface AgentSummary {
  readonly id: string;
  readonly name: string;
  readonly description: string;
  readonly skills: readonly { readonly id: string; readonly name: string; readonly examples?: readonly string[] }[];
  /** Media types that it takes and gives. */
  readonly inputModes: readonly string[];
  readonly outputModes: readonly string[];
  readonly card: string;
  /** Where it really is, for remote ones; without a query, which may hold what is secret. `shared`: all callers have it, else the caller alone. */
  readonly remote?: { readonly url: string; readonly protocol: string; readonly binding: string; readonly shared: boolean };
}

/** What one rule of the A2A specification says of an agent's card. */
export interface CardFinding {
  /** The section and the member that it is about, for example `4.4.6 supportedInterfaces[0].url`. */
  readonly rule: string;
  readonly level: "MUST" | "SHOULD" | "MAY";
  readonly ok: boolean;
  /** What is there, shortened; `absent` when nothing is. */
  readonly found: string;
  readonly expected: string;
}

/** A card, examined rule by rule. `right`: no MUST is broken. */
export interface CardReport {
  readonly url: string;
  readonly card: JsonObject;
  readonly right: boolean;
  readonly findings: readonly CardFinding[];
}

/** A foreign agent: its URL (an agent's, a server's or a card's), and what is sent to it beside. `id` is its name here; without one it is made from the card's. */
export interface RemoteBody {
  readonly url: string;
  readonly id?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as `Authorization: Bearer …`. */
  readonly token?: string;
  /** For all callers, who then all act by these headers: takes the role `operator`. Default: for the caller alone. */
  readonly shared?: boolean;
}

/** Who the caller is, and what this server offers: what a page asks first. */
export interface ServerInfo {
  readonly principal: { readonly tenant: string; readonly user: string; readonly roles: readonly string[] };
  readonly version: string;
  readonly logId: string;
  readonly durability: "none" | "process" | "host";
  readonly maxBodyBytes: number;
  readonly maxUploadBytes: number;
  readonly uploadTypes: readonly string[];
  /** What is switched on: `campaigns`, `remotes`, `search`. */
  readonly features: readonly string[];
}

/** Authenticates one GET, as `?ticket=…`, until `expiresAt`: for an `EventSource` or a WebSocket, which can carry no header. */
export interface Ticket {
  readonly ticket: string;
  readonly expiresAt: number;
}

/** What is sent to an agent. The same `messageId` again attaches to the task that the first made (SEMANTICS 16). */
export interface SendBody {
  readonly messageId: string;
  readonly parts: readonly Part[];
  readonly contextId?: string;
  readonly taskId?: string;
  readonly metadata?: JsonObject;
}

/** The task that a message went to; its stream is at `cursor` before the message. A message-only reply comes whole. */
export type SendReply = { readonly agent: string; readonly task: string; readonly context: string; readonly cursor: string } | { readonly message: Message };

/** A reader of a stream. */
export interface ReaderInfo {
  readonly agent: string;
  readonly task: string;
  readonly transport: "jsonrpc" | "rest" | "grpc" | "v0.3" | "a2a-websocket" | "sse" | "feed" | "websocket" | "agui" | "ai" | "openai";
  readonly audience: Audience;
  readonly since: number;
  /** The last seq that it was given, and how many entries it is behind the head. */
  readonly seq: number;
  readonly lag: number;
}

/** A file that was uploaded: `url` serves it to this caller; a part `{ url, mediaType, filename }` sends it. */
export interface UploadedFile {
  readonly sha256: string;
  readonly size: number;
  readonly mediaType: string;
  readonly filename: string;
  readonly url: string;
}

/** Every error of the API, with the HTTP status beside it. `code` is an `ErrorCode`. */
export interface ApiError {
  readonly error: {
    readonly code: string;
    readonly message: string;
    readonly reason?: string;
    readonly retryable: boolean;
    readonly retryAfterMs?: number;
    readonly fields?: readonly { readonly field: string; readonly description: string }[];
  };
}

/**
 * What a page says on `/api/ws`, one JSON text a message. `ref` and `sub` are the page's own numbers: a reply or an error names them again.
 * Credit is bytes of `entries` and `feed` messages that the server may send for one subscription; at 0 or below that subscription waits, and no other does.
 */
export type SocketRequest =
  | {
      readonly op: "subscribe";
      readonly sub: number;
      readonly task: string;
      readonly agent?: string;
      readonly after?: string;
      readonly audience?: Audience;
      readonly credit?: number;
    }
  /** All streams that the caller may see, as `GET /api/feed`. */
  | {
      readonly op: "subscribe-feed";
      readonly sub: number;
      readonly agent?: string;
      readonly context?: string;
      readonly states?: readonly TaskState[];
      readonly after?: string;
      readonly tail?: number;
      readonly audience?: Audience;
      /** `false`: every task up to now, and then `end`; not with `after`. */
      readonly live?: boolean;
      readonly credit?: number;
    }
  | { readonly op: "credit"; readonly sub: number; readonly bytes: number }
  | { readonly op: "unsubscribe"; readonly sub: number }
  /** The page has dealt with everything up to `cursor`: what `ReaderInfo.seq` shows. */
  | { readonly op: "ack"; readonly sub: number; readonly cursor: string }
  | { readonly op: "send"; readonly ref: number; readonly agent: string; readonly body: SendBody }
  | { readonly op: "cancel"; readonly ref: number; readonly task: string; readonly agent?: string }
  | { readonly op: "ping"; readonly ref: number };

/** What the server says on `/api/ws`. */
export type SocketEvent =
  | { readonly op: "hello"; readonly logId: string; readonly maxSubscriptions: number; readonly defaultCredit: number }
  | { readonly op: "opened"; readonly sub: number; readonly stream: StreamOpened }
  | { readonly op: "entries"; readonly sub: number; readonly cursor: string; readonly entries: readonly StreamEntry[] }
  | { readonly op: "feed"; readonly sub: number; readonly cursor: string; readonly frames: readonly FeedFrame[] }
  /** The credit is used up: nothing more comes for `sub` until `missing` bytes or more are granted. */
  | { readonly op: "blocked"; readonly sub: number; readonly missing: number }
  /** The stream is sealed and wholly sent, or the subscription was ended. */
  | { readonly op: "end"; readonly sub: number }
  | { readonly op: "reply"; readonly ref: number; readonly result: unknown }
  | ({ readonly op: "error"; readonly ref?: number; readonly sub?: number } & ApiError)
  | { readonly op: "pong"; readonly ref: number };

/** Close codes of `/api/ws` and of A2A over WebSocket, beside RFC 6455's own. Come back after 1001, 1006, 1011, 1012, 1013 and 4408; not after the others. */
export const SOCKET_CLOSE = {
  /** The server stops or restarts: come back with the cursors. */
  restart: 1012,
  /** Too many sockets or messages: come back later. */
  tryLater: 1013,
  /** A message that is no `SocketRequest`. */
  badMessage: 4400,
  unauthenticated: 4401,
  forbidden: 4403,
  /** Pings were not answered. */
  gone: 4408,
  /** A message longer than the limit. */
  tooLarge: 4413,
} as const;

/** A campaign that stands in the campaigns' folder, or was run on this machine. */
export interface CampaignOverview {
  readonly name: string;
  /** `new`: never run. `stopped`: begun, and nobody runs it now. The others as `ias campaign status` says. */
  readonly state: "new" | "running" | "paused" | "stopped" | "done" | "canceled" | "exhausted";
  /** Its file stands in the campaigns' folder: it can be started here. */
  readonly startable: boolean;
  /** Why it cannot be started (its file is not right), or why its last run here ended. */
  readonly problem?: string;
  readonly target?: number;
  readonly judged: number;
  readonly passed: number;
  readonly failed: number;
  readonly attempts: number;
  readonly stalls: number;
  readonly tokens: number;
  readonly startedAt?: number;
  readonly endedAt?: number;
  /** A process runs it at this moment. */
  readonly runner: boolean;
  readonly subjects: readonly { readonly id: string; readonly judged: number; readonly passed: number; readonly failed: number; readonly attempts: number }[];
}

/** One battle on the board: its newest attempt, or the judged one. */
export interface BattleRow {
  readonly battle: string;
  readonly subject: string;
  readonly item: string;
  readonly repeat: number;
  readonly attempt: number;
  /** While it runs the phase of its stream (`generating`, `stalled` …), else how it ended. */
  readonly phase: string;
  readonly running: boolean;
  /** When it came into this phase. */
  readonly since: number;
  readonly startedAt: number;
  readonly tokens: number;
  readonly tokensPerSecond?: number;
  readonly ttftMs?: number;
  readonly score?: number;
  /** What stalls are judged by, and why. */
  readonly liveness?: { readonly mode: string; readonly why: string };
  /** Why it ended as it did. */
  readonly why?: string;
  readonly episodes: readonly { readonly kind: "slow" | "stalled"; readonly fromMs: number; readonly untilMs?: number; readonly activity: string }[];
}

/** A campaign as it stands. */
export interface CampaignBoard extends CampaignOverview {
  /** What people asked for and its runner has not carried out. */
  readonly wishes: {
    readonly paused: boolean;
    readonly canceled: boolean;
    readonly cancelBattles: readonly string[];
    readonly requeueBattles: readonly string[];
  };
  /** Those that run first, then the newest; `total` counts all. */
  readonly battles: readonly BattleRow[];
  readonly total: number;
}
