import assert from "node:assert/strict";
import { suite, test } from "node:test";
import { EXTENSION_URI } from "../../model/entry.ts";
import { type ExtensionCase, streamCases } from "./cases.ts";
import { livenessCases } from "./liveness-cases.ts";
import { jsonRpcPeer, type Peer, restPeer } from "./peer.ts";

/** A server to examine for the stream extension (PROTOCOL.md). */
export interface ExtensionConformanceOptions {
  /** The agent's card. */
  readonly cardUrl: string;
  /** A text that makes the agent answer in at least three chunks and complete. */
  readonly talk: string;
  /** A text that makes the agent ask (INPUT_REQUIRED); an answer to it completes the task. */
  readonly ask: string;
  /** Longest wait for a heartbeat, ms. Default 20,000: the server must send one each 15 s. */
  readonly heartbeatMs?: number;
}

/** A case of one binding, ready to run; `run` rejects where the server fails it. */
export interface PlannedExtensionCase {
  readonly name: string;
  run(): Promise<void>;
}

/** The cases for the HTTP bindings that the card declares for 1.0. Rejects when there is no card. */
export async function planExtensionConformance(options: ExtensionConformanceOptions): Promise<readonly PlannedExtensionCase[]> {
  const card = (await (await fetch(options.cardUrl, { headers: { "a2a-version": "1.0" } })).json()) as Card;
  const peers = (card.supportedInterfaces ?? [])
    .filter((one) => one.protocolVersion.startsWith("1."))
    .flatMap((one): (readonly [string, Peer])[] => {
      if (one.protocolBinding === "JSONRPC") return [["jsonrpc", jsonRpcPeer(one.url)]];
      return one.protocolBinding === "HTTP+JSON" ? [["rest", restPeer(one.url)]] : [];
    });
  const context = { talk: options.talk, ask: options.ask, heartbeatMs: options.heartbeatMs ?? 20_000 };
  return [
    { name: "ACT-1 the card declares the extension and does not require it", run: async () => declares(card) },
    ...peers.flatMap(([binding, peer]) =>
      [...streamCases, ...livenessCases].map((one: ExtensionCase) => ({
        name: `${one.id} [${binding}] ${one.title}`,
        run: () => one.run({ ...context, peer }),
      })),
    ),
  ];
}

/** Registers with node:test one test for each requirement and binding. Await it at the top of a test file while the server is up. */
export async function runExtensionConformance(options: ExtensionConformanceOptions): Promise<void> {
  const cases = await planExtensionConformance(options);
  void suite(`Stream extension at ${options.cardUrl}`, () => {
    for (const one of cases) void test(one.name, () => one.run());
  });
}

interface Card {
  readonly supportedInterfaces?: readonly { readonly url: string; readonly protocolBinding: string; readonly protocolVersion: string }[];
  readonly capabilities?: { readonly extensions?: readonly { readonly uri: string; readonly required?: boolean }[] };
}

function declares(card: Card): void {
  const declared = card.capabilities?.extensions?.find(({ uri }) => uri === EXTENSION_URI);
  assert.ok(declared !== undefined, "capabilities.extensions does not name it");
  assert.notEqual(declared.required, true, "it must not be required");
}
