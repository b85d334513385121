import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import { type Server, startServer } from "../../src/lib/main/server.ts";
import { conformanceEngine } from "./behaviour.ts";

/** The modes of the conformance agent; all off is the default mode. */
export interface Modes {
  readonly push?: boolean;
  readonly streaming?: boolean;
  /** A required extension, `urn:a2a:tck:required-extension`. */
  readonly requiredExtension?: boolean;
  readonly noise?: boolean;
  /** As protocol 0.3's suite wants it, with the card of 0.3 alone; otherwise the card is of 1.0 alone. */
  readonly compat03?: boolean;
  /** Declares our own binding too; the public kit passes over cards with one that it does not know. */
  readonly websocket?: boolean;
}

/** Starts the agent over a memory store; its card stands at `/.well-known/agent-card.json`. The caller disposes it. */
export async function startConformanceAgent(modes: Modes & { readonly port: number; readonly grpcPort: number }): Promise<Server> {
  const { push = true, streaming = true, requiredExtension = false, noise = false, compat03 = false, websocket = false, port, grpcPort } = modes;
  const agent = defineAgent({
    id: "tck",
    name: "Conformance agent",
    description: "Behaves as the messageId says; see test/conformance/behaviour.ts.",
    engine: conformanceEngine({ noise, compat03 }),
    replies: "either",
    streaming,
    pushNotifications: push,
    extensions: requiredExtension ? [{ uri: "urn:a2a:tck:required-extension", description: "Asked of every request.", required: true }] : [],
  });
  return startServer({
    agents: [agent],
    store: createMemoryStore(),
    port,
    grpcPort,
    allowLocalTargets: true,
    bareCard: compat03 ? "0.3" : "1.0",
    declareWebSocket: websocket,
  });
}
