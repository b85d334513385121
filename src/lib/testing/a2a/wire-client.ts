import type { Json, JsonObject } from "../../model/a2a.ts";

/** The three standard bindings of A2A, and the custom one of PROTOCOL.md, section 9. */
export type Binding = "jsonrpc" | "rest" | "grpc" | "websocket";

/** Operations that answer once. */
export type UnaryOperation =
  | "SendMessage"
  | "GetTask"
  | "ListTasks"
  | "CancelTask"
  | "CreateTaskPushNotificationConfig"
  | "GetTaskPushNotificationConfig"
  | "ListTaskPushNotificationConfigs"
  | "DeleteTaskPushNotificationConfig"
  | "GetExtendedAgentCard";

/** Operations that answer with a stream of `StreamResponse`. */
export type StreamOperation = "SendStreamingMessage" | "SubscribeToTask";

/** An error as the binding carries it, with what the bindings have in common taken out. */
export interface WireError {
  readonly binding: Binding;
  /** JSON-RPC `error.code` (over WebSocket too), REST HTTP status, gRPC status code. */
  readonly code: number;
  /** REST `error.status`; empty elsewhere. */
  readonly status: string;
  readonly message: string;
  /** `error.data`, `error.details` or the details of `grpc-status-details-bin`; undefined when absent or not an array. */
  readonly details: readonly Json[] | undefined;
  /** HTTP status of the response; 200 on gRPC and WebSocket. */
  readonly http: number;
  /** Everything that came, for messages. */
  readonly received: string;
}

/** What a unary call gave: a value in ProtoJSON, or the server's error. */
export type Reply =
  | { readonly ok: true; readonly value: Json; readonly headers: Headers; readonly http: number }
  | { readonly ok: false; readonly error: WireError; readonly headers: Headers };

/** An open stream. `events` yields each `StreamResponse` in ProtoJSON and ends with the stream; it throws on a broken stream. */
export interface OpenStream extends AsyncDisposable {
  readonly ok: true;
  readonly headers: Headers;
  readonly events: AsyncIterable<Json>;
}

/** What opening a stream gave. A refusal is an answer of its own, never an event inside an opened stream. */
export type StreamReply = OpenStream | { readonly ok: false; readonly error: WireError; readonly headers: Headers };

/** What one call may say differently from the client's defaults. */
export interface CallOptions {
  /** `A2A-Version`; null leaves the header out. Default: the client's. */
  readonly version?: string | null;
  /** `A2A-Extensions`; replaces the client's default. */
  readonly extensions?: readonly string[];
}

/**
 * One binding, spoken as it is on the wire: requests go out as they are given, in ProtoJSON, unchecked; answers come back
 * undecided. A call that gets no answer at all within the time limit throws.
 */
export interface WireClient extends AsyncDisposable {
  readonly binding: Binding;
  call(operation: UnaryOperation, request: JsonObject, options?: CallOptions): Promise<Reply>;
  open(operation: StreamOperation, request: JsonObject, options?: CallOptions): Promise<StreamReply>;
}

/** Settings common to the clients. */
export interface WireClientOptions {
  /** The endpoint, as the card's interface names it. */
  readonly url: string;
  /** Default `A2A-Version`; null sends none. */
  readonly version: string | null;
  /** Default `A2A-Extensions`. */
  readonly extensions: readonly string[];
  /** ms after which an answer counts as never coming. */
  readonly timeoutMs: number;
}

/** The headers that carry the service parameters of a call. */
export function serviceHeaders(client: WireClientOptions, call: CallOptions = {}): Record<string, string> {
  const version = call.version === undefined ? client.version : call.version;
  const extensions = call.extensions ?? client.extensions;
  return {
    ...(version === null ? {} : { "a2a-version": version }),
    ...(extensions.length === 0 ? {} : { "a2a-extensions": extensions.join(",") }),
  };
}
