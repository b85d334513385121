import { grpcClient } from "../bindings/grpc-client.ts";
import { jsonRpcClient, restClient } from "../bindings/clients.ts";
import { readEvents } from "../bindings/sse.ts";
import type { BindingClient, Wire } from "../bindings/wire.ts";
import { textOfTask, textsOf } from "./cursor-reader.ts";
import type { ServerProcess } from "./server-process.ts";

/** Every way to read a stream: the bindings of 1.0 and of 0.3. */
export const READERS = ["JSONRPC", "HTTP+JSON", "GRPC", "0.3 JSONRPC", "0.3 HTTP+JSON"] as const;
export type ReaderName = (typeof READERS)[number];

/** A raw 1.0 client of an agent of a server process. gRPC has one service for all agents: the tenant says which. */
export function rawClient(server: Pick<ServerProcess, "url" | "grpcPort">, agent: string, name: Exclude<ReaderName, `0.3${string}`>): BindingClient {
  const base = `${server.url}/a2a/${agent}`;
  if (name === "JSONRPC") return jsonRpcClient(base);
  if (name === "HTTP+JSON") return restClient(`${base}/rest`);
  const client = grpcClient(`127.0.0.1:${server.grpcPort}`);
  return {
    ...client,
    call: (operation, params, headers) => client.call(operation, { tenant: agent, ...params }, headers),
    stream: (operation, params, headers, signal) => client.stream(operation, { tenant: agent, ...params }, headers, signal),
  };
}

/** Subscribes to a task, whichever the binding, and gives what text comes, the text of the Task first. */
export async function* readTexts(server: ServerProcess, agent: string, name: ReaderName, task: string): AsyncGenerator<string> {
  for await (const event of readAny(server, agent, name, task)) {
    if (event.task !== undefined || event.kind === "task") yield textOfTask(event.task ?? event);
    else yield* textsOf(event);
  }
}

async function* readAny(server: ServerProcess, agent: string, name: ReaderName, task: string): AsyncGenerator<Wire> {
  if (name !== "0.3 JSONRPC" && name !== "0.3 HTTP+JSON") {
    await using client = rawClient(server, agent, name);
    for await (const { event } of client.stream("SubscribeToTask", { id: task })) yield event;
    return;
  }
  const base = `${server.url}/a2a/${agent}`;
  const response =
    name === "0.3 HTTP+JSON"
      ? await fetch(`${base}/rest/v1/tasks/${task}:subscribe`, { method: "POST" })
      : await fetch(base, {
          method: "POST",
          headers: { "content-type": "application/json" },
          body: JSON.stringify({ jsonrpc: "2.0", id: 1, method: "tasks/resubscribe", params: { id: task } }),
        });
  if (response.headers.get("content-type") !== "text/event-stream") throw new Error(`${name}: ${await response.text()}`);
  for await (const { event } of readEvents(response)) yield event.result ?? event;
}
