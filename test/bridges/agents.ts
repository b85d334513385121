import type { Agent } from "../../src/lib/engine/agent.ts";
import type { AgentEvent, Turn } from "../../src/lib/engine/engine.ts";
import { agentOf } from "../support/serving.ts";

/** An agent that does everything that a frontend can be shown: it thinks, calls a tool and a child, and answers with text, a file and data. */
export function showingAgent(): Agent {
  return agentOf(show, { expose: { reasoning: true, toolArguments: true } });
}

async function* show(): AsyncGenerator<AgentEvent> {
  yield { kind: "reasoning", text: "I think" };
  yield { kind: "reasoning", text: " so." };
  yield { kind: "status", message: [{ text: "Looking it up" }] };
  yield { kind: "tool-call", call: "c1", name: "lookup", arguments: '{"q":"x"}' };
  yield { kind: "tool-call", call: "c2", name: "ask", arguments: "{}" };
  yield { kind: "delegation", from: "agent", to: "helper", via: "tool", path: ["helper"] };
  yield { kind: "text", text: "child says", path: ["helper"] };
  yield { kind: "tool-call", call: "c1", name: "dig", arguments: '{"deep":true}', path: ["helper"] };
  yield { kind: "tool-result", call: "c1", name: "dig", output: "dug", path: ["helper"] };
  yield { kind: "tool-result", call: "c1", name: "lookup", output: '{"found":1}' };
  yield { kind: "tool-result", call: "c2", name: "ask", output: "no", failed: true };
  yield { kind: "text", text: "It is " };
  yield { kind: "text", text: "so." };
  yield { kind: "artifact", artifact: { artifactId: "picture", parts: [{ raw: "aGk=", mediaType: "image/png", filename: "a.png" }] } };
  yield { kind: "artifact", artifact: { artifactId: "facts", parts: [{ data: { one: 1 } }] } };
  yield { kind: "usage", usage: { inputTokens: 3, outputTokens: 4, totalTokens: 7, model: "m" } };
  yield { kind: "usage", usage: { inputTokens: 1, outputTokens: 1, totalTokens: 2, model: "m" } };
}

/** An agent that asks before it pays, and says what it was answered. */
export function askingAgent(): Agent {
  return agentOf(pay);
}

async function* pay(turn: Turn): AsyncGenerator<AgentEvent> {
  const answer = turn.input.flatMap(({ parts }) => parts).find(({ data }) => data !== undefined)?.data;
  if (turn.state === undefined) {
    yield { kind: "text", text: "May I? " };
    yield { kind: "tool-call", call: "pay-1", name: "pay", arguments: '{"sum":5}' };
    const approvals = [{ call: "pay-1", name: "pay", arguments: '{"sum":5}' }];
    yield { kind: "interrupt", reason: "input", approvals, state: { version: "test/1", data: "asked" } };
    return;
  }
  yield { kind: "tool-result", call: "pay-1", name: "pay", output: "done" };
  yield { kind: "text", text: `answered ${JSON.stringify(answer)}` };
}

/** An agent that asks for a name and greets. */
export function questioningAgent(): Agent {
  return agentOf(async function* (turn) {
    if (turn.state === undefined) {
      yield { kind: "interrupt", reason: "input", message: [{ text: "Who are you?" }], state: { version: "test/1", data: "asked" } };
      return;
    }
    yield { kind: "text", text: `Hello ${turn.input[0]?.parts[0]?.text ?? ""}` };
  });
}

/** An agent that needs its user to sign in elsewhere, and goes on with what it is then told. */
export function authorisingAgent(): Agent {
  return agentOf(signIn);
}

/** As the engine of `authorisingAgent`. */
export async function* signIn(turn: Turn): AsyncGenerator<AgentEvent> {
  if (turn.state === undefined) {
    yield { kind: "text", text: "Let me see. " };
    yield { kind: "interrupt", reason: "auth", message: [{ text: "Sign in at https://id.example" }], state: { version: "test/1", data: "asked" } };
    return;
  }
  yield { kind: "text", text: `Signed in: ${turn.input[0]?.parts[0]?.text ?? ""}` };
}
