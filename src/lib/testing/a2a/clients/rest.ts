import type { Json, JsonObject } from "../../../model/a2a.ts";
import { isObject } from "../../../model/json.ts";
import { at } from "../json.ts";
import { serviceHeaders } from "../wire-client.ts";
import type { CallOptions, Reply, StreamOperation, StreamReply, UnaryOperation, WireClient, WireClientOptions, WireError } from "../wire-client.ts";
import { fetchWithin, httpStream, isEventStream, parseLeniently } from "./http-stream.ts";

/** A2A over HTTP+JSON. Fields of the request become path, query or body as the proto's HTTP rules say. */
export function createRestClient(options: WireClientOptions): WireClient {
  async function send(operation: UnaryOperation | StreamOperation, request: JsonObject, call: CallOptions | undefined, accept: string) {
    const { method, path, query, body } = restRequest(operation, request);
    const url = `${options.url.replace(/\/$/, "")}${path}${query === "" ? "" : `?${query}`}`;
    const headers = { accept, ...serviceHeaders(options, call), ...(body === undefined ? {} : { "content-type": "application/a2a+json" }) };
    return fetchWithin(url, { method, headers, ...(body === undefined ? {} : { body }) }, options.timeoutMs);
  }
  return {
    binding: "rest",
    async call(operation, request, call): Promise<Reply> {
      const { response } = await send(operation, request, call, "application/a2a+json");
      const text = await response.text();
      if (!response.ok) return { ok: false, error: restError(response.status, text), headers: response.headers };
      return { ok: true, value: text === "" ? {} : (JSON.parse(text) as Json), headers: response.headers, http: response.status };
    },
    async open(operation, request, call): Promise<StreamReply> {
      const { response, abort } = await send(operation, request, call, "text/event-stream");
      if (!response.ok) return { ok: false, error: restError(response.status, await response.text()), headers: response.headers };
      if (isEventStream(response)) return httpStream(response, abort, unwrapEvent);
      throw new Error(`${operation} was answered with ${response.headers.get("content-type")} instead of an event stream`);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** The body of an HTTP error, as the binding carries it. */
export function restError(http: number, text: string): WireError {
  const body = parseLeniently(text);
  const code = at(body, "error", "code");
  const status = at(body, "error", "status");
  const message = at(body, "error", "message");
  const details = at(body, "error", "details");
  return {
    binding: "rest",
    code: typeof code === "number" ? code : Number.NaN,
    status: typeof status === "string" ? status : "",
    message: typeof message === "string" ? message : "",
    details: Array.isArray(details) ? details : undefined,
    http,
    received: `HTTP ${http} ${text.slice(0, 600)}`,
  };
}

function unwrapEvent(data: Json): Json {
  if (isObject(data) && "error" in data) throw new Error(`an error inside an opened stream: ${JSON.stringify(data)}`);
  return data;
}

interface RestRequest {
  readonly method: "GET" | "POST" | "DELETE";
  readonly path: string;
  readonly query: string;
  readonly body: string | undefined;
}

function restRequest(operation: UnaryOperation | StreamOperation, request: JsonObject): RestRequest {
  const { tenant, ...rest } = request;
  const prefix = typeof tenant === "string" && tenant !== "" ? `/${encodeURIComponent(tenant)}` : "";
  const get = (path: string, fields: JsonObject): RestRequest => ({ method: "GET", path: prefix + path, query: toQuery(fields), body: undefined });
  const post = (path: string, body: JsonObject | undefined): RestRequest => {
    return { method: "POST", path: prefix + path, query: "", body: body === undefined ? undefined : JSON.stringify(body) };
  };
  const { id, taskId, ...fields } = rest;
  const task = `/tasks/${segment(id)}`;
  const configs = `/tasks/${segment(taskId)}/pushNotificationConfigs`;
  switch (operation) {
    case "SendMessage":
      return post("/message:send", rest);
    case "SendStreamingMessage":
      return post("/message:stream", rest);
    case "GetTask":
      return get(task, fields);
    case "ListTasks":
      return get("/tasks", rest);
    case "CancelTask":
      return post(`${task}:cancel`, Object.keys(fields).length === 0 ? undefined : fields);
    case "SubscribeToTask":
      return post(`${task}:subscribe`, undefined);
    case "CreateTaskPushNotificationConfig":
      return post(configs, { ...(id === undefined ? {} : { id }), ...fields });
    case "GetTaskPushNotificationConfig":
      return get(`${configs}/${segment(id)}`, fields);
    case "ListTaskPushNotificationConfigs":
      return get(configs, fields);
    case "DeleteTaskPushNotificationConfig":
      return { ...get(`${configs}/${segment(id)}`, fields), method: "DELETE" };
    case "GetExtendedAgentCard":
      return get("/extendedAgentCard", fields);
  }
}

function segment(value: Json | undefined): string {
  return encodeURIComponent(typeof value === "string" ? value : "");
}

function toQuery(fields: JsonObject): string {
  const query = new URLSearchParams();
  for (const [name, value] of Object.entries(fields)) query.set(name, typeof value === "string" ? value : JSON.stringify(value));
  return query.toString();
}
