import type { Agent } from "../../src/lib/engine/agent.ts";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import type { AgentEvent, Turn } from "../../src/lib/engine/engine.ts";
import { say, scripted, textOf } from "../../src/lib/engine/scripted.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import type { IasError } from "../../src/lib/model/errors.ts";
import type { Limits } from "../../src/lib/model/limits.ts";
import { type Server, startServer } from "../../src/lib/main/server.ts";

/** What the agents of these tests do by the first word of the message. */
async function* act(turn: Turn, { signal }: { readonly signal: AbortSignal }): AsyncIterable<AgentEvent> {
  const [word = "", ...rest] = textOf(turn.input).split(" ");
  switch (word) {
    case "ask":
      yield { kind: "interrupt", reason: "input", message: [{ text: "Which one?" }] };
      return;
    case "auth":
      yield { kind: "interrupt", reason: "auth", message: [{ text: "Log in." }] };
      return;
    case "hang":
      yield { kind: "text", text: "waiting " };
      await new Promise((_, reject) => signal.addEventListener("abort", () => reject(new Error("aborted"))));
      return;
    case "parts":
      yield { kind: "artifact", artifact: { artifactId: "p", parts: [{ data: null }, { data: { a: [1, null, "x"] } }, { raw: "AAEC", filename: "f.bin" }] } };
      return;
    case "reply":
      yield { kind: "reply", parts: [{ text: rest.join(" ") }] };
      return;
    case "large":
      for (let at = 0; at < Number(rest[0]); at += 1) yield { kind: "text", text: `${at} `.padEnd(1000, ".") };
      return;
    case "fail":
      throw new Error("the secret of the engine");
    default:
      yield* say(textOf(turn.input), { signal, tokenMs: 0 });
  }
}

/** A server with the agents `main` (default) and `other` on free ports, over a memory store. The caller disposes it. */
export async function startTestServer(
  options: { readonly limits?: Partial<Limits>; readonly agent?: Partial<Agent>; readonly report?: (error: IasError) => void } = {},
): Promise<Server> {
  const engine = scripted(act);
  const agents = [defineAgent({ id: "main", engine, replies: "either", ...options.agent }), defineAgent({ id: "other", engine })];
  return startServer({
    agents,
    store: createMemoryStore(),
    port: 0,
    grpcPort: 0,
    report: options.report ?? (() => {}),
    ...(options.limits && { limits: options.limits }),
  });
}
