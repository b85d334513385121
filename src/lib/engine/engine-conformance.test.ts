import { Agent, tool, type AgentInputItem, type StreamEvent } from "@openai/agents";
import { assistantMessage, functionCall, modelResponse, modelStreamResponder, ScriptedModel } from "@openai/agents/testing";
import { runEngineConformance } from "../testing/engine-conformance.ts";
import type { ChunkSource } from "../testing/engine-support.ts";
import type { AgentEvent } from "./engine.ts";
import { openaiAgents } from "./openai-agents.ts";
import { scripted, textOf, type ScriptFunction } from "./scripted.ts";

runEngineConformance("scripted", {
  stream: (source) => scripted(speak(source)),
  ask: {
    answer: "yes",
    create: (source) =>
      scripted(async function* (turn, options) {
        if (turn.state === undefined) yield { kind: "interrupt", reason: "input", message: [{ text: "Sure?" }], state: { version: "test/1", data: "asked" } };
        else yield* speak(source)(turn, options);
      }),
  },
});

runEngineConformance("openai-agents", {
  stream: (source) => openaiAgents(new Agent({ name: "Speaker", model: new ScriptedModel(Array.from({ length: 3 }, () => response(source))) })),
  ask: {
    answer: "approve",
    create(source) {
      const act = tool({
        name: "act",
        description: "Acts.",
        parameters: { type: "object", properties: {}, required: [], additionalProperties: true },
        strict: false,
        needsApproval: true,
        execute: async () => "done",
      });
      // A model decides by what it was given, as real ones do: no memory of its own.
      const model = new ScriptedModel([modelResponse([functionCall("act", "{}", { callId: "call-1" })])]);
      const asked = model.getStreamedResponse.bind(model);
      model.getStreamedResponse = (request) => {
        const acted = Array.isArray(request.input) && request.input.some((item) => item.type === "function_call_result");
        return acted ? chunks(source({ input: "", signal: request.signal ?? new AbortController().signal })) : asked(request);
      };
      return openaiAgents(new Agent({ name: "Asker", model, tools: [act] }));
    },
  },
});

function speak(source: ChunkSource): ScriptFunction {
  return async function* (turn, { signal }): AsyncGenerator<AgentEvent> {
    for await (const text of source({ input: textOf(turn.input), signal })) yield { kind: "text", text };
  };
}

function response(source: ChunkSource): ReturnType<typeof modelStreamResponder> {
  return modelStreamResponder(({ request }) => chunks(source({ input: words(request.input), signal: request.signal ?? new AbortController().signal })));
}

async function* chunks(source: AsyncIterable<string>): AsyncGenerator<StreamEvent> {
  yield { type: "response_started" };
  let all = "";
  for await (const delta of source) {
    all += delta;
    yield { type: "output_text_delta", delta };
  }
  yield {
    type: "response_done",
    response: { id: "r", usage: { requests: 1, inputTokens: 1, outputTokens: 1, totalTokens: 2 }, output: [assistantMessage(all)] },
  };
}

function words(input: string | readonly AgentInputItem[]): string {
  return typeof input === "string" ? input : JSON.stringify(input);
}
