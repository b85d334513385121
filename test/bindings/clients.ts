import type { Server } from "../../src/lib/main/server.ts";
import { grpcClient } from "./grpc-client.ts";
import { readEvents } from "./sse.ts";
import { websocketClient } from "./websocket-client.ts";
import { type BindingClient, type Wire, WireError } from "./wire.ts";

const VERSION = { "a2a-version": "1.0" };

/** All bindings of one agent. */
export function bindingClients(server: Server, agent = "main"): readonly BindingClient[] {
  const base = `${server.url}/a2a/${agent}`;
  return [jsonRpcClient(base), restClient(`${base}/rest`), grpcClient(server.grpcAddress ?? ""), websocketClient(`${base}/ws`)];
}

export function jsonRpcClient(url: string): BindingClient {
  const post = (method: string, params: object, headers = {}, signal?: AbortSignal): Promise<Response> =>
    fetch(url, {
      method: "POST",
      headers: { "content-type": "application/json", ...VERSION, ...headers },
      body: JSON.stringify({ jsonrpc: "2.0", id: 7, method, params }),
      signal: signal ?? null,
    });
  const unwrap = (envelope: Wire): Wire => {
    if (envelope.error !== undefined) throw new WireError(envelope.error.code, envelope.error.message, envelope.error.data);
    return envelope.result;
  };
  return {
    name: "jsonrpc",
    call: async (operation, params, headers) => unwrap(await (await post(operation, params, headers)).json()),
    async *stream(operation, params, headers, signal) {
      const response = await post(operation, params, headers, signal);
      if (response.headers.get("content-type") !== "text/event-stream") unwrap(await response.json());
      for await (const { id, event } of readEvents(response)) yield { ...(id !== undefined && { id }), event: unwrap(event) };
    },
    async [Symbol.asyncDispose]() {},
  };
}

export function restClient(url: string): BindingClient {
  const send = (operation: string, { ...params }: Wire, headers = {}, signal?: AbortSignal): Promise<Response> => {
    const take = (name: string): string => {
      const value = encodeURIComponent(params[name] ?? "");
      delete params[name];
      return value;
    };
    const prefix = params.tenant === undefined ? "" : `/${take("tenant")}`;
    const [method, path] = TARGETS[operation]?.(take) ?? ["GET", "/unknown"];
    const withBody = method === "POST";
    const query = withBody ? "" : `?${new URLSearchParams(params)}`;
    return fetch(`${url}${prefix}${path}${query}`, {
      method,
      headers: { ...(withBody && { "content-type": "application/a2a+json" }), ...VERSION, ...headers },
      signal: signal ?? null,
      ...(withBody && { body: JSON.stringify(params) }),
    });
  };
  const unwrap = (body: Wire): Wire => {
    if (body.error !== undefined) throw new WireError(body.error.code, body.error.message, body.error.details);
    return body;
  };
  return {
    name: "rest",
    call: async (operation, params, headers) => unwrap(await (await send(operation, params, headers)).json()),
    async *stream(operation, params, headers, signal) {
      const response = await send(operation, params, headers, signal);
      if (response.headers.get("content-type") !== "text/event-stream") unwrap(await response.json());
      for await (const { id, event } of readEvents(response)) yield { ...(id !== undefined && { id }), event: unwrap(event) };
    },
    async [Symbol.asyncDispose]() {},
  };
}

const TARGETS: Readonly<Record<string, (take: (name: string) => string) => readonly [method: string, path: string]>> = {
  SendMessage: () => ["POST", "/message:send"],
  SendStreamingMessage: () => ["POST", "/message:stream"],
  GetTask: (take) => ["GET", `/tasks/${take("id")}`],
  ListTasks: () => ["GET", "/tasks"],
  CancelTask: (take) => ["POST", `/tasks/${take("id")}:cancel`],
  SubscribeToTask: (take) => ["GET", `/tasks/${take("id")}:subscribe`],
  CreateTaskPushNotificationConfig: (take) => ["POST", `/tasks/${take("taskId")}/pushNotificationConfigs`],
  GetTaskPushNotificationConfig: (take) => ["GET", `/tasks/${take("taskId")}/pushNotificationConfigs/${take("id")}`],
  ListTaskPushNotificationConfigs: (take) => ["GET", `/tasks/${take("taskId")}/pushNotificationConfigs`],
  DeleteTaskPushNotificationConfig: (take) => ["DELETE", `/tasks/${take("taskId")}/pushNotificationConfigs/${take("id")}`],
  GetExtendedAgentCard: () => ["GET", "/extendedAgentCard"],
};
