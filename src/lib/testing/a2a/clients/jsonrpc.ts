import type { Json, JsonObject } from "../../../model/a2a.ts";
import { isObject } from "../../../model/json.ts";
import { serviceHeaders } from "../wire-client.ts";
import type { CallOptions, Reply, StreamReply, WireClient, WireClientOptions, WireError } from "../wire-client.ts";
import { fetchWithin, httpStream, isEventStream, parseLeniently } from "./http-stream.ts";

/** A2A over JSON-RPC 2.0. The envelope of every answer is checked here: `jsonrpc`, the request's `id`, `result` or `error`. */
export function createJsonRpcClient(options: WireClientOptions): WireClient {
  let lastId = 0;
  async function post(method: string, params: JsonObject, call: CallOptions | undefined, accept: string) {
    const id = ++lastId;
    const headers = { "content-type": "application/json", accept, ...serviceHeaders(options, call) };
    const body = JSON.stringify({ jsonrpc: "2.0", id, method, params });
    return { id, ...(await fetchWithin(options.url, { method: "POST", headers, body }, options.timeoutMs)) };
  }
  return {
    binding: "jsonrpc",
    async call(operation, request, call): Promise<Reply> {
      const { id, response } = await post(operation, request, call, "application/json");
      return toReply(response, id, await response.text());
    },
    async open(operation, request, call): Promise<StreamReply> {
      const { id, response, abort } = await post(operation, request, call, "text/event-stream");
      if (isEventStream(response)) return httpStream(response, abort, (data) => unwrapEvent(data, id));
      const reply = toReply(response, id, await response.text());
      if (!reply.ok) return reply;
      throw new Error(`${operation} was answered with one result instead of an event stream: ${JSON.stringify(reply.value)}`);
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** The error member of a JSON-RPC response, as the binding carries it. */
export function jsonRpcError(error: JsonObject, http: number): WireError {
  const code = typeof error["code"] === "number" ? error["code"] : Number.NaN;
  const message = typeof error["message"] === "string" ? error["message"] : "";
  const details = Array.isArray(error["data"]) ? error["data"] : undefined;
  return { binding: "jsonrpc", code, status: "", message, details, http, received: JSON.stringify(error) };
}

function toReply(response: Response, id: number, text: string): Reply {
  const body = parseLeniently(text);
  const { headers, status: http } = response;
  if (!isObject(body)) throw new Error(`not a JSON-RPC response (HTTP ${http}): ${text.slice(0, 300)}`);
  checkEnvelope(body, id);
  const error = body["error"];
  if (isObject(error)) return { ok: false, error: jsonRpcError(error, http), headers };
  return { ok: true, value: body["result"] ?? null, headers, http };
}

function unwrapEvent(data: Json, id: number): Json {
  if (!isObject(data)) throw new Error(`an event's data is not a JSON-RPC response: ${JSON.stringify(data)}`);
  checkEnvelope(data, id);
  if (isObject(data["error"])) throw new Error(`an error inside an opened stream: ${JSON.stringify(data["error"])}`);
  return data["result"] ?? null;
}

/** Throws unless `body` is a JSON-RPC response to the request `id`. */
export function checkEnvelope(body: JsonObject, id: number): void {
  const both = "result" in body && "error" in body;
  if (body["jsonrpc"] === "2.0" && body["id"] === id && !both && ("result" in body || "error" in body)) return;
  throw new Error(`a JSON-RPC response needs jsonrpc "2.0", id ${id} and either result or error; got ${JSON.stringify(body).slice(0, 300)}`);
}
