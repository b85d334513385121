import { AgentCard, Message, Task, TaskArtifactUpdateEvent, TaskStatusUpdateEvent } from "@a2a-js/sdk";
import { AgentEvent, type AgentExecutor, DefaultRequestHandler, InMemoryTaskStore } from "@a2a-js/sdk/server";
import { jsonRpcHandler, UserBuilder } from "@a2a-js/sdk/server/express";
import express from "express";
import { answerBench } from "./control.ts";
import { chunks, readPlan } from "./load.ts";

/** The official JavaScript SDK with Express and the store in memory, the quickest that it ships. */
const executor: AgentExecutor = {
  async execute(context, bus) {
    const ids = { taskId: context.taskId, contextId: context.contextId };
    const status = (state: string): void =>
      bus.publish(AgentEvent.statusUpdate(TaskStatusUpdateEvent.fromJSON({ ...ids, status: { state, timestamp: new Date().toISOString() } })));
    bus.publish(
      AgentEvent.task(
        Task.fromJSON({
          id: ids.taskId,
          contextId: ids.contextId,
          status: { state: "TASK_STATE_SUBMITTED", timestamp: new Date().toISOString() },
          history: [Message.toJSON(context.userMessage)],
        }),
      ),
    );
    status("TASK_STATE_WORKING");
    const content = context.userMessage.parts[0]?.content;
    // Made once and copied, so that the agent itself costs next to nothing.
    const first = TaskArtifactUpdateEvent.fromJSON({ ...ids, artifact: { artifactId: "a1", parts: [{ text: "" }] }, append: false });
    const part = first.artifact?.parts[0];
    if (first.artifact === undefined || part === undefined) throw new Error("The SDK made no artifact of an artifact.");
    let append = false;
    for await (const value of chunks(readPlan(content?.$case === "text" ? content.value : ""))) {
      bus.publish(AgentEvent.artifactUpdate({ ...first, artifact: { ...first.artifact, parts: [{ ...part, content: { $case: "text", value } }] }, append }));
      append = true;
    }
    status("TASK_STATE_COMPLETED");
    bus.finished();
  },
  cancelTask: async () => {},
};

const port = Number(process.env["PORT"] ?? 4100);
const card = AgentCard.fromJSON({
  name: "bench",
  description: "The load agent",
  version: "1.0.0",
  supportedInterfaces: [{ url: `http://127.0.0.1:${port}/a2a/bench`, protocolBinding: "JSONRPC", protocolVersion: "1.0" }],
  capabilities: { streaming: true, pushNotifications: false },
  defaultInputModes: ["text/plain"],
  defaultOutputModes: ["text/plain"],
  skills: [{ id: "s", name: "s", description: "s", tags: ["t"] }],
});
const requestHandler = new DefaultRequestHandler(card, new InMemoryTaskStore(), executor);
const app = express();
app.use("/a2a/bench", jsonRpcHandler({ requestHandler, userBuilder: UserBuilder.noAuthentication }));
answerBench();
app.listen(port, "127.0.0.1", () => console.log("ready"));
