import type { Message } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import type { StreamKey } from "../model/key.ts";
import { createFirstAnswer } from "../task/first-answer.ts";
import { type Accepted, createAccept } from "./accept.ts";
import { openFrames, untilRest } from "./frames.ts";
import type { Call, FrameStream, Operations } from "./operations.ts";
import { parseParams, sendSchema } from "./parse.ts";
import type { ServerParts } from "./server.ts";
import { taskAnswer } from "./tasks.ts";

/** SendMessage and SendStreamingMessage. */
export function createSend(parts: ServerParts): Pick<Operations, "sendMessage" | "sendStreamingMessage"> {
  const accept = createAccept(parts);
  return {
    async sendMessage(call, params) {
      const request = parseParams(sendSchema, params);
      const accepted = await accept(call, request);
      if (call.agent.replies !== "task") {
        const message = await firstAnswer(parts, call, accepted);
        if (message !== undefined) return { message };
      }
      if (request.configuration?.returnImmediately !== true) {
        const rests = accepted.repeated ? await restsAt(parts, accepted.key) : false;
        if (!rests) await untilRest(parts, accepted.key, accepted.after, call.signal);
      }
      return { task: await taskAnswer(parts, accepted.key, request.configuration?.historyLength) };
    },
    async sendStreamingMessage(call, params) {
      if (!call.agent.streaming) throw new IasError("unsupported-operation", `The agent ${call.agent.id} does not stream; send the message without streaming.`);
      const request = parseParams(sendSchema, params);
      const accepted = await accept(call, request);
      if (call.agent.replies !== "task") {
        const message = await firstAnswer(parts, call, accepted);
        if (message !== undefined) return messageStream(accepted.key, message);
      }
      return openFrames(parts, call, accepted.key, { from: accepted.created ? "start" : "head", until: { turnAfter: accepted.created ? 1 : accepted.after } });
    },
  };
}

async function restsAt(parts: ServerParts, key: StreamKey): Promise<boolean> {
  const row = await parts.store.index.get(key);
  return row !== undefined && row.state !== "TASK_STATE_SUBMITTED" && row.state !== "TASK_STATE_WORKING";
}

/**
 * For agents that may reply without a task: holds the answer until the engine's first event, at most `replyHoldMs` (SEMANTICS 6). The message of a
 * message-only reply, or undefined: it is a task.
 */
async function firstAnswer(parts: ServerParts, call: Call, accepted: Accepted): Promise<Message | undefined> {
  const hold = AbortSignal.any([call.signal, AbortSignal.timeout(parts.limits.replyHoldMs)]);
  const judge = createFirstAnswer();
  for await (const batch of parts.store.log.follow(accepted.key, { after: accepted.created ? 1 : accepted.after, signal: hold })) {
    for (const entry of batch) {
      const answer = judge(entry);
      if (answer.kind !== "open") return answer.kind === "message" ? answer.message : undefined;
    }
  }
  return undefined;
}

function messageStream(key: StreamKey, message: Message): FrameStream {
  const frame = { seq: 0, event: JSON.stringify({ message }) };
  return {
    key,
    opening: "message",
    audience: "public",
    frames: (async function* () {
      yield [frame];
    })(),
  };
}
