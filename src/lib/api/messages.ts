import { z } from "zod";
import { newId } from "../model/ids.ts";
import type { Api } from "./api.ts";
import { defineEndpoint, type Endpoint } from "./endpoint.ts";
import { given } from "./query.ts";
import { sendBodySchema, sendReplySchema, taskSchema } from "./schemas.ts";
import { AGENT_HINT } from "./tasks.ts";

const approvalSchema = z.object({
  call: z.string().min(1, "must not be empty").describe("Id of the tool call that waits"),
  approve: z.boolean(),
  note: z.exactOptional(z.string().describe("Why, for the agent")),
  messageId: z.exactOptional(z.string().min(1).describe("The same again is taken once")),
});

/** Endpoints that act: send, cancel, approve. `agentOf` finds whose a task is; it throws `task-not-found`. */
export function createMessageEndpoints(
  api: Api,
  agentOf: (principal: Parameters<Api["send"]>[0]["principal"], name: Parameters<Api["cancel"]>[1]) => Promise<string>,
): readonly Endpoint[] {
  return [
    defineEndpoint({
      method: "POST",
      path: "/api/agents/{agent}/messages",
      tag: "Messages",
      summary: "Sends a message; returns at once, and the answer comes on the task's stream",
      about: "The same `messageId` with the same content again finds the task that the first made: a message whose answer was lost is simply sent again.",
      body: sendBodySchema,
      reply: sendReplySchema,
      handle: async ({ principal, signal, params, body }) => ({ body: await api.send({ principal, signal }, params.agent, body) }),
    }),
    defineEndpoint({
      method: "POST",
      path: "/api/tasks/{task}/cancel",
      tag: "Messages",
      summary: "Cancels a task; to leave its stream cancels nothing",
      query: z.object(AGENT_HINT),
      reply: taskSchema,
      handle: async ({ principal, signal, params, query }) => ({ body: await api.cancel({ principal, signal }, { task: params.task, ...given(query) }) }),
    }),
    defineEndpoint({
      method: "POST",
      path: "/api/tasks/{task}/approvals",
      tag: "Messages",
      summary: "Answers a tool call that waits for approval",
      about: "Sends the message that PROTOCOL.md, META-3, describes. Where several calls wait, the agent goes on once each has its answer.",
      query: z.object(AGENT_HINT),
      body: approvalSchema,
      reply: sendReplySchema,
      async handle({ principal, signal, params, query, body }) {
        const { call, approve, note, messageId = newId() } = body;
        const agent = await agentOf(principal, { task: params.task, ...given(query) });
        const data = { approvals: [{ call, approve, ...(note !== undefined && { reason: note }) }] };
        return { body: await api.send({ principal, signal }, agent, { messageId, taskId: params.task, parts: [{ data }] }) };
      },
    }),
  ];
}
