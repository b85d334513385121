import type { Client, ClientOptions, EntryStream, MessageToSend, StreamOptions } from "./client.ts";
import { ClientError } from "./client-error.ts";
import { followFeed, followTask } from "./follow.ts";
import { createHttp, withQuery } from "./http.ts";
import type { Source } from "./source.ts";
import { createSocketSource, preferSocket } from "./socket.ts";
import { createSseSource } from "./sse.ts";
import { shareAmongTabs } from "./tabs.ts";
import { takeTurns } from "./take-turns.ts";
import { newId } from "./words.ts";
import type { ServerInfo } from "../model/api.ts";
import type { Part } from "../model/a2a.ts";

/** A client of a server's `/api`. It connects when something is asked for; `close` it in the end. */
export function createClient(options: ClientOptions = {}): Client {
  const http = createHttp(options);
  const closed = new AbortController();
  const max = options.maxConnections ?? ("location" in globalThis ? 4 : 256);
  const sse = takeTurns(createSseSource(http), { max });
  const { transport = "auto" } = options;
  const socket = transport === "sse" || typeof WebSocket !== "function" ? undefined : createSocketSource(http, { usesTicket: options.headers !== undefined });
  if (transport === "websocket" && socket === undefined)
    throw new ClientError("configuration", "There is no WebSocket here; leave `transport` out, or take sse.");
  const local: Source = socket === undefined ? sse : transport === "websocket" ? socket.source : preferSocket(socket.source, sse);
  const tabs = isShared(options)
    ? shareAmongTabs(local, { name: `ias ${transport} ${http.baseUrl}`, locks: navigator.locks, drop: () => socket?.drop() })
    : undefined;
  const source = tabs?.source ?? local;
  const reconnect = (): void => (tabs === undefined ? socket?.drop() : tabs.reconnect());
  const until = (signal: AbortSignal | undefined): AbortSignal => (signal === undefined ? closed.signal : AbortSignal.any([signal, closed.signal]));
  const path = (task: string, more = ""): string => `/api/tasks/${encodeURIComponent(task)}${more}`;

  return {
    session: (call) => http.json("GET", "/api/session", { signal: call?.signal }),
    async signIn(credentials, call) {
      const info = await http.json<ServerInfo>("POST", "/api/session", { headers: credentials, signal: call?.signal });
      reconnect();
      return info;
    },
    async signOut(call) {
      await http.json("DELETE", "/api/session", { signal: call?.signal });
      reconnect();
    },
    agents: (call) => http.json("GET", "/api/agents", { signal: call?.signal }),
    tasks: (query = {}, call) => http.json("GET", withQuery("/api/tasks", { ...query }), { signal: call?.signal }),
    task: (task, call) => http.json("GET", withQuery(path(task), { agent: call?.agent }), { signal: call?.signal }),
    conversations: (query = {}, call) => http.json("GET", withQuery("/api/conversations", { ...query }), { signal: call?.signal }),
    send: (agent, message, call) =>
      http.json("POST", `/api/agents/${encodeURIComponent(agent)}/messages`, { body: toBody(message), signal: call?.signal, tries: 4 }),
    cancel: (task, call) => http.json("POST", withQuery(path(task, "/cancel"), { agent: call?.agent }), { signal: call?.signal, tries: 3 }),
    approve: (task, approval, call) =>
      http.json("POST", withQuery(path(task, "/approvals"), { agent: call?.agent }), {
        body: { ...approval, messageId: newId() },
        signal: call?.signal,
        tries: 4,
      }),
    async upload(file, call = {}) {
      const form = new FormData();
      const named = "name" in file && typeof file.name === "string" ? file.name : "file";
      form.append("file", file, call.filename ?? named);
      const { files } = await http.json<{ files: Awaited<ReturnType<Client["upload"]>>[] }>("POST", "/api/uploads", { body: form, signal: call.signal });
      const [kept] = files;
      if (kept === undefined) throw new ClientError("internal", "The server kept no file.");
      return kept;
    },
    stream: (task, watch = {}) => followTask(source, task, { ...watch, signal: until(watch.signal) }, options),
    feed: (watch = {}) => followFeed(source, { ...watch, signal: until(watch.signal) }, options),
    reconnect,
    close() {
      closed.abort(new ClientError("aborted", "The client was closed."));
      tabs?.close();
      socket?.drop();
    },
  };
}

/** A task's stream alone, over server-sent events: as `Client.stream`, for pages that need nothing else and load nothing else. */
export function stream(task: string, options: ClientOptions & StreamOptions = {}): EntryStream {
  return followTask(createSseSource(createHttp(options)), task, options, options);
}

/** Tabs share by the cookie session; a client with credentials of its own has streams of its own. */
function isShared({ shared, headers, fetch: own }: ClientOptions): boolean {
  const can = typeof BroadcastChannel === "function" && typeof navigator === "object" && "locks" in navigator;
  return can && (shared ?? ("document" in globalThis && headers === undefined && own === undefined));
}

function toBody(message: MessageToSend | string): object {
  const { text, parts = [], messageId = newId(), ...rest } = typeof message === "string" ? { text: message } : message;
  const all: readonly Part[] = text === undefined ? parts : [{ text }, ...parts];
  return { messageId, parts: all, ...rest };
}
