import type { Json, JsonObject } from "../model/a2a.ts";
import { type ErrorCode, IasError } from "../model/errors.ts";
import { below, callHttp, type HttpRequest, type HttpWireOptions, streamHttp } from "./http.ts";
import { asObject, asText } from "./json.ts";
import { toLegacyRestPushConfigs, toLegacyRestSend } from "./legacy.ts";
import { fromHttpError } from "./remote-error.ts";
import type { Operation, Wire } from "./wire.ts";

/** The HTTP+JSON binding (specification 11; 0.3: 3.2.3, paths under `/v1`), streams as server-sent events. */
export function createRestWire(options: HttpWireOptions): Wire {
  return {
    version: options.version,
    async call(operation, params, callOptions) {
      const request = toRequest(options, operation, params);
      if (options.version === "1.0" || operation !== "CreateTaskPushNotificationConfig") {
        return callHttp(options, request, callOptions).catch((error: unknown) => Promise.reject(sharpen(error)));
      }
      const [first, second] = toLegacyRestPushConfigs(params).map((body) => ({ ...request, body: JSON.stringify(body) }));
      try {
        return await callHttp(options, first ?? request, callOptions);
      } catch (error) {
        if (!(error instanceof IasError) || !MISREAD.has(error.code)) throw error;
        return callHttp(options, second ?? request, callOptions);
      }
    },
    async *stream(operation, params, streamOptions) {
      const request = toRequest(options, operation, params);
      // The proto subscribes by GET, the text by POST: a server that knows only one of them says so.
      const requests: readonly HttpRequest[] =
        operation === "SubscribeToTask"
          ? [
              { ...request, method: "GET" },
              { ...request, method: "POST" },
            ]
          : [request];
      for (const [index, candidate] of requests.entries()) {
        try {
          for await (const frame of streamHttp(options, candidate, streamOptions)) {
            if (frame.failed === true || asObject(asObject(frame.payload)?.["error"]) !== undefined)
              throw fromHttpError(500, JSON.stringify(frame.payload), new Headers());
            yield frame;
          }
          return;
        } catch (error) {
          if (index === requests.length - 1 || !(error instanceof IasError) || error.code !== "method-not-found") throw error;
        }
      }
    },
    async [Symbol.asyncDispose]() {
      // The connections are the fetch's.
    },
  };
}

/** 0.3's REST errors are a status and a sentence; the sentence of the official SDK tells which of A2A's errors it is. */
function sharpen(error: unknown): IasError {
  const known = IasError.from(error);
  const code: ErrorCode | undefined =
    known.code === "not-found" && /\btask\b/i.test(known.message)
      ? "task-not-found"
      : /\bcannot be cancell?ed\b/i.test(known.message)
        ? "task-not-cancelable"
        : undefined;
  return code === undefined ? known : new IasError(code, known.message, { cause: known, details: known.details });
}

/** What servers say to a body in another form than theirs. */
const MISREAD: ReadonlySet<ErrorCode> = new Set<ErrorCode>(["parse-error", "invalid-request", "invalid-params", "remote-failed"]);

function toRequest(wire: HttpWireOptions, operation: Operation, params: JsonObject): HttpRequest {
  const isLegacy = wire.version === "0.3";
  // The tenant is part of the path here (proto annotations); 0.3 has none.
  const prefix = isLegacy ? "/v1" : wire.tenant === undefined ? "" : `/${encodeURIComponent(wire.tenant)}`;
  const task = encodeURIComponent(asText(params["taskId"]) ?? asText(params["id"]) ?? "");
  const config = encodeURIComponent(asText(params["id"]) ?? "");
  const to = (method: HttpRequest["method"], path: string, query: JsonObject = {}): HttpRequest => ({
    method,
    url: below(wire, prefix + path, toQuery(query)),
  });
  const post = (path: string, body: JsonObject): HttpRequest => ({
    ...to("POST", path),
    body: JSON.stringify(body),
    contentType: isLegacy ? "application/json" : "application/a2a+json",
  });
  const { id: _, taskId: __, ...query } = params;
  switch (operation) {
    case "SendMessage":
      return post("/message:send", isLegacy ? toLegacyRestSend(params) : params);
    case "SendStreamingMessage":
      return post("/message:stream", isLegacy ? toLegacyRestSend(params) : params);
    case "GetTask":
      return to("GET", `/tasks/${task}`, query);
    case "ListTasks":
      if (isLegacy) throw new IasError("unsupported-operation", "ListTasks does not exist in A2A 0.3.");
      return to("GET", "/tasks", query);
    case "CancelTask":
      return post(`/tasks/${task}:cancel`, query);
    case "SubscribeToTask":
      return to("POST", `/tasks/${task}:subscribe`);
    case "CreateTaskPushNotificationConfig":
      return post(`/tasks/${task}/pushNotificationConfigs`, params);
    case "GetTaskPushNotificationConfig":
      return to("GET", `/tasks/${task}/pushNotificationConfigs/${config}`);
    case "ListTaskPushNotificationConfigs":
      return to("GET", `/tasks/${task}/pushNotificationConfigs`, query);
    case "DeleteTaskPushNotificationConfig":
      return to("DELETE", `/tasks/${task}/pushNotificationConfigs/${config}`);
    case "GetExtendedAgentCard":
      return to("GET", isLegacy ? "/card" : "/extendedAgentCard");
  }
}

function toQuery(values: JsonObject): Record<string, string> {
  const entries = Object.entries(values).filter((entry): entry is [string, Exclude<Json, object | null>] => entry[1] !== null && typeof entry[1] !== "object");
  return Object.fromEntries(entries.map(([name, value]) => [name, String(value)]));
}
