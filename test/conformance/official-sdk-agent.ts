import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { setTimeout as wait } from "node:timers/promises";
import { AgentCard, Artifact, Message, Role, type Task, TaskState } from "@a2a-js/sdk";
import { AgentEvent, DefaultPushNotificationSender, DefaultRequestHandler, InMemoryPushNotificationStore, InMemoryTaskStore } from "@a2a-js/sdk/server";
import type { AgentExecutor, ExecutionEventBus, RequestContext } from "@a2a-js/sdk/server";
import { UserBuilder, agentCardHandler, jsonRpcHandler, restHandler } from "@a2a-js/sdk/server/express";
import { A2AService, grpcService } from "@a2a-js/sdk/server/grpc";
import { Server, ServerCredentials } from "@grpc/grpc-js";
import express from "express";
import type { JsonObject } from "../../src/lib/model/a2a.ts";

/** The official SDK's own server, as a peer: another implementation of A2A for the suite to examine. */
export interface PeerServer extends AsyncDisposable {
  readonly baseUrl: string;
}

/** Starts it with the behaviours of the conformance agent, on free ports of loopback. */
export async function startPeer(): Promise<PeerServer> {
  const app = express();
  const http = createServer(app);
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  const baseUrl = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;

  const grpc = new Server();
  const late: { handler?: DefaultRequestHandler } = {};
  const forward = new Proxy({} as DefaultRequestHandler, { get: (_, name) => Reflect.get(late.handler ?? {}, name, late.handler)?.bind?.(late.handler) });
  grpc.addService(A2AService, grpcService({ requestHandler: forward, userBuilder: UserBuilder.noAuthentication }));
  const grpcPort = await new Promise<number>((resolve, reject) => {
    grpc.bindAsync("127.0.0.1:0", ServerCredentials.createInsecure(), (error, port) => (error === null ? resolve(port) : reject(error)));
  });

  const pushes = new InMemoryPushNotificationStore();
  const card = AgentCard.fromJSON(cardJson(baseUrl, `127.0.0.1:${grpcPort}`));
  const sender = new DefaultPushNotificationSender(pushes);
  const options = { validateInputModes: true };
  const handler = new DefaultRequestHandler(card, new InMemoryTaskStore(), createExecutor(), undefined, pushes, sender, undefined, undefined, options);
  late.handler = handler;
  const shared = { requestHandler: handler, userBuilder: UserBuilder.noAuthentication, legacyCompat: { enabled: true } };
  app.use("/.well-known/agent-card.json", agentCardHandler({ agentCardProvider: handler, cache: { maxAge: 60 } }));
  app.use("/jsonrpc", jsonRpcHandler(shared));
  app.use("/rest", restHandler(shared));
  return {
    baseUrl,
    async [Symbol.asyncDispose]() {
      grpc.forceShutdown();
      http.closeAllConnections();
      await new Promise((resolve) => http.close(resolve));
    },
  };
}

function cardJson(baseUrl: string, grpcUrl: string): JsonObject {
  return {
    name: "peer",
    description: "The official SDK's server",
    version: "1.0.0",
    supportedInterfaces: [
      { url: `${baseUrl}/jsonrpc`, protocolBinding: "JSONRPC", protocolVersion: "1.0" },
      { url: `${baseUrl}/rest`, protocolBinding: "HTTP+JSON", protocolVersion: "1.0" },
      { url: grpcUrl, protocolBinding: "GRPC", protocolVersion: "1.0" },
      { url: `${baseUrl}/jsonrpc`, protocolBinding: "JSONRPC", protocolVersion: "0.3" },
      { url: `${baseUrl}/rest`, protocolBinding: "HTTP+JSON", protocolVersion: "0.3" },
    ],
    capabilities: { streaming: true, pushNotifications: true },
    defaultInputModes: ["text/plain"],
    defaultOutputModes: ["text/plain"],
    skills: [{ id: "conformance", name: "Conformance", description: "Behaves by messageId", tags: ["test"] }],
  };
}

const FILE = { raw: "dGNr", filename: "output.txt", mediaType: "text/plain" };

/** Artifacts by prefix, longer prefixes first. */
const ARTIFACTS: readonly (readonly [prefix: string, part: JsonObject])[] = [
  ["tck-stream-artifact-text", { text: "Streamed text content" }],
  ["tck-stream-artifact-file", FILE],
  ["tck-stream-ordering-001", { text: "Ordered output" }],
  ["tck-stream-001", { text: "Stream hello from TCK" }],
  ["tck-stream-003", { text: "Stream task lifecycle" }],
  ["tck-artifact-text", { text: "Generated text content" }],
  ["tck-artifact-file-url", { url: "https://example.com/output.txt", filename: "output.txt", mediaType: "text/plain" }],
  ["tck-artifact-file", FILE],
  ["tck-artifact-data", { data: { key: "value", count: 42 } }],
];

function createExecutor(): AgentExecutor {
  const contexts = new Map<string, string>();
  return {
    async execute(request: RequestContext, bus: ExecutionEventBus): Promise<void> {
      const { taskId, contextId } = request;
      contexts.set(taskId, contextId);
      const prefix = request.userMessage.messageId;
      const message = (text: string): Message => Message.fromJSON({ messageId: crypto.randomUUID(), contextId, role: Role.ROLE_AGENT, parts: [{ text }] });
      if (prefix.startsWith("tck-message-response")) return bus.publish(AgentEvent.message(message("Direct message response")));
      bus.publish(AgentEvent.task(request.task ?? newTask(request)));
      const status = (state: TaskState, text?: string): void => {
        const value = { state, message: text === undefined ? undefined : message(text), timestamp: new Date().toISOString() };
        bus.publish(AgentEvent.statusUpdate({ taskId, contextId, status: value, metadata: undefined }));
      };
      const artifact = (part: JsonObject, append = false, lastChunk = true): void => {
        const value = Artifact.fromJSON({ artifactId: "output", parts: [part] });
        bus.publish(AgentEvent.artifactUpdate({ taskId, contextId, artifact: value, append, lastChunk, metadata: undefined }));
      };

      if (prefix.startsWith("tck-input-required")) return status(TaskState.TASK_STATE_INPUT_REQUIRED, "What else?");
      if (prefix.startsWith("tck-reject-task")) return status(TaskState.TASK_STATE_REJECTED, "rejected");
      if (prefix.startsWith("tck-stream") && !prefix.startsWith("tck-stream-002")) status(TaskState.TASK_STATE_WORKING);
      if (prefix.startsWith("test-resubscribe-message-id")) {
        status(TaskState.TASK_STATE_WORKING);
        await wait(4000);
      }
      if (prefix.startsWith("tck-stream-artifact-chunked")) {
        artifact({ text: "chunk-1 " }, false, false);
        artifact({ text: "chunk-2" }, true, true);
      }
      const made = ARTIFACTS.find(([known]) => prefix.startsWith(known))?.[1];
      if (made !== undefined) artifact(made);
      status(TaskState.TASK_STATE_COMPLETED, "Hello from TCK");
    },
    async cancelTask(taskId, bus): Promise<void> {
      const status = { state: TaskState.TASK_STATE_CANCELED, message: undefined, timestamp: new Date().toISOString() };
      bus.publish(AgentEvent.statusUpdate({ taskId, contextId: contexts.get(taskId) ?? "", status, metadata: undefined }));
    },
  };
}

function newTask({ taskId, contextId, userMessage }: RequestContext): Task {
  const status = { state: TaskState.TASK_STATE_SUBMITTED, message: undefined, timestamp: new Date().toISOString() };
  return { id: taskId, contextId, status, artifacts: [], history: [userMessage], metadata: undefined };
}
