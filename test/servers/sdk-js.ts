import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { setTimeout as delay } from "node:timers/promises";
import { AgentCard, Message, Task, TaskArtifactUpdateEvent, TaskStatusUpdateEvent } from "@a2a-js/sdk";
import { AgentEvent, type AgentExecutor, DefaultRequestHandler, type ExecutionEventBus, InMemoryTaskStore, type RequestContext } from "@a2a-js/sdk/server";
import { agentCardHandler, jsonRpcHandler, restHandler, UserBuilder } from "@a2a-js/sdk/server/express";
import { A2AService, grpcService, UserBuilder as GrpcUserBuilder } from "@a2a-js/sdk/server/grpc";
import * as grpc from "@grpc/grpc-js";
import express from "express";
import type { Script } from "./script.ts";

/** The official JavaScript SDK's server with an agent that does what the message's text says (`Script` as JSON). */
export interface SdkServer extends AsyncDisposable {
  readonly url: string;
  readonly port: number;
  readonly grpcPort: number;
  /** Metadata of the messages that came in. */
  readonly received: readonly Message[];
}

export interface SdkServerOptions {
  readonly version?: "1.0" | "0.3";
  readonly streaming?: boolean;
  /** The port that the card names, where a proxy stands before the server. */
  readonly cardPort?: number;
  readonly cardGrpcPort?: number;
  /** Called before each chunk. */
  readonly gate?: (index: number) => Promise<void>;
}

export async function startSdkServer(options: SdkServerOptions = {}): Promise<SdkServer> {
  const app = express();
  const server = app.listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  const grpcServer = new grpc.Server();
  const grpcPort = await new Promise<number>((resolve, reject) => {
    grpcServer.bindAsync("127.0.0.1:0", grpc.ServerCredentials.createInsecure(), (error, bound) => (error === null ? resolve(bound) : reject(error)));
  });
  const version = options.version ?? "1.0";
  const base = `http://127.0.0.1:${options.cardPort ?? port}`;
  const interfaces = [
    { url: `${base}/rpc`, protocolBinding: "JSONRPC", protocolVersion: version },
    { url: `${base}/rest`, protocolBinding: "HTTP+JSON", protocolVersion: version },
    ...(version === "1.0" ? [{ url: `127.0.0.1:${options.cardGrpcPort ?? grpcPort}`, protocolBinding: "GRPC", protocolVersion: version }] : []),
  ];
  const card = AgentCard.fromJSON({
    name: "sdk",
    description: "Does what the text says",
    version: "1.0.0",
    supportedInterfaces: interfaces,
    capabilities: { streaming: options.streaming ?? true, pushNotifications: true },
    defaultInputModes: ["text/plain"],
    defaultOutputModes: ["text/plain"],
    skills: [{ id: "s", name: "s", description: "s", tags: ["t"] }],
  });
  const received: Message[] = [];
  const closing = new AbortController();
  const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), createExecutor(received, closing.signal, options.gate));
  const legacyCompat = { enabled: version === "0.3" };
  app.use("/.well-known/agent-card.json", agentCardHandler({ agentCardProvider: requestHandler, legacyCompat }));
  app.use("/rpc", jsonRpcHandler({ requestHandler, userBuilder: UserBuilder.noAuthentication, legacyCompat }));
  app.use("/rest", restHandler({ requestHandler, userBuilder: UserBuilder.noAuthentication, legacyCompat }));
  grpcServer.addService(A2AService, grpcService({ requestHandler, userBuilder: GrpcUserBuilder.noAuthentication }));
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    grpcPort,
    received,
    async [Symbol.asyncDispose]() {
      closing.abort();
      grpcServer.forceShutdown();
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
  };
}

function createExecutor(received: Message[], closing: AbortSignal, gate: SdkServerOptions["gate"]): AgentExecutor {
  const canceled = new Set<string>();
  return {
    async execute(context: RequestContext, bus: ExecutionEventBus) {
      received.push(context.userMessage);
      const ids = { taskId: context.taskId, contextId: context.contextId };
      const script = JSON.parse(textOf(context.userMessage)) as Script;
      if (script.do === "reply") {
        bus.publish(
          AgentEvent.message(
            Message.fromJSON({ messageId: crypto.randomUUID(), role: "ROLE_AGENT", contextId: ids.contextId, parts: [{ text: script.text }] }),
          ),
        );
        bus.finished();
        return;
      }
      const status = (state: string, text?: string): void =>
        bus.publish(
          AgentEvent.statusUpdate(
            TaskStatusUpdateEvent.fromJSON({
              ...ids,
              status: { state, timestamp: new Date().toISOString(), ...(text !== undefined && { message: agentMessage(ids, text) }) },
            }),
          ),
        );
      // Each run begins with the task as it is, also a follow-up.
      bus.publish(
        AgentEvent.task(
          context.task ??
            Task.fromJSON({
              id: ids.taskId,
              contextId: ids.contextId,
              status: { state: "TASK_STATE_SUBMITTED" },
              history: [Message.toJSON(context.userMessage)],
            }),
        ),
      );
      status("TASK_STATE_WORKING");
      for (const [index, text] of (script.chunks ?? []).entries()) {
        await gate?.(index);
        if (script.everyMs !== undefined) await delay(script.everyMs);
        if (canceled.has(ids.taskId)) return;
        if (script.do === "status") status("TASK_STATE_WORKING", text);
        else
          bus.publish(
            AgentEvent.artifactUpdate(
              TaskArtifactUpdateEvent.fromJSON({ ...ids, artifact: { artifactId: "a1", name: "answer", parts: [{ text }] }, append: index > 0 }),
            ),
          );
        if (script.everyMs === undefined) await delay(0);
      }
      if (script.do === "ask") status("TASK_STATE_INPUT_REQUIRED", "Which one?");
      else if (script.do === "auth") status("TASK_STATE_AUTH_REQUIRED", "Log in first");
      else if (script.do === "fail") status("TASK_STATE_FAILED", "It broke");
      else if (script.do === "wait") while (!canceled.has(ids.taskId) && !closing.aborted) await delay(10);
      else status("TASK_STATE_COMPLETED", script.text);
      bus.finished();
    },
    async cancelTask(taskId, bus) {
      canceled.add(taskId);
      bus.publish(AgentEvent.statusUpdate(TaskStatusUpdateEvent.fromJSON({ taskId, contextId: "", status: { state: "TASK_STATE_CANCELED" } })));
      bus.finished();
    },
  };
}

function textOf(message: Message): string {
  const content = message.parts[0]?.content;
  return content?.$case === "text" ? content.value : "{}";
}

function agentMessage(ids: { readonly taskId: string; readonly contextId: string }, text: string): object {
  return { messageId: crypto.randomUUID(), role: "ROLE_AGENT", ...ids, parts: [{ text }] };
}
