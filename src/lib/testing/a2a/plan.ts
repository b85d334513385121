import assert from "node:assert/strict";
import type { JsonObject } from "../../model/a2a.ts";
import { artifactCases } from "./cases/artifacts.ts";
import { cardCases } from "./cases/card.ts";
import { jsonRpcFormatCases } from "./cases/jsonrpc-format.ts";
import { listingCases } from "./cases/listing.ts";
import { negotiationCases } from "./cases/negotiation.ts";
import { pushCases } from "./cases/push.ts";
import { restFormatCases } from "./cases/rest-format.ts";
import { sendingCases } from "./cases/sending.ts";
import { streamingCases } from "./cases/streaming.ts";
import { subscribingCases } from "./cases/subscribing.ts";
import { taskCases } from "./cases/tasks.ts";
import { v03Cases } from "./cases/v03.ts";
import { createGrpcClient } from "./clients/grpc.ts";
import { createJsonRpcClient } from "./clients/jsonrpc.ts";
import { createRestClient } from "./clients/rest.ts";
import { createWebSocketClient } from "./clients/websocket.ts";
import type { AgentContext, Capabilities, ConformanceCase, Level } from "./conformance-case.ts";
import { discover } from "./discover.ts";
import { createRaw } from "./raw.ts";
import { startWebhook } from "./webhook.ts";
import type { Binding, WireClient } from "./wire-client.ts";
import { inTime } from "../in-time.ts";

/** Which server is examined, and how. */
export interface A2AConformanceOptions {
  /** The origin whose `/.well-known/agent-card.json` is the agent's card. The card names the endpoints. */
  readonly baseUrl: string;
  /** host:port of gRPC, where it is not what the card says. */
  readonly grpcUrl?: string;
  /** Protocol versions to examine. Default: 1.0. */
  readonly versions?: readonly ("1.0" | "0.3")[];
  /** Bindings of 1.0 to examine; one that the card does not declare fails. Default: those that it declares. */
  readonly bindings?: readonly Binding[];
  /** What the card must declare; a difference fails. Without it, cases of what is not declared simply do not apply. */
  readonly expect?: Partial<Capabilities>;
  /** Only cases whose id begins with one of these. Default: all. */
  readonly only?: readonly string[];
  /** How long, in ms, one answer may take before the case fails. Default: 20,000 (a case as a whole: three times that). */
  readonly timeoutMs?: number;
}

/** One case on one binding, ready to run. */
export interface PlannedA2ACase {
  /** For example `MUST send.terminal-task [rest] a message to a finished task is an unsupported operation (3.1.1)`. */
  readonly name: string;
  readonly id: string;
  readonly level: Level;
  readonly binding: Binding | undefined;
  /** Rejects where the server fails the case. */
  run(): Promise<void>;
}

/** What is to be run against a server, and what does not apply to it. */
export interface A2APlan extends AsyncDisposable {
  readonly cases: readonly PlannedA2ACase[];
  /** Cases that are about what the card does not declare, by name. */
  readonly notApplicable: readonly string[];
}

/** Every requirement that the suite knows, for the reader and for reports. */
export const a2aCases: readonly ConformanceCase[] = [
  ...cardCases,
  ...sendingCases,
  ...artifactCases,
  ...taskCases,
  ...listingCases,
  ...streamingCases,
  ...subscribingCases,
  ...pushCases,
  ...negotiationCases,
  ...jsonRpcFormatCases,
  ...restFormatCases,
];

/** Reads the card and plans the run. Throws when there is no card. The caller disposes of the plan: it holds connections. */
export async function planA2AConformance(options: A2AConformanceOptions): Promise<A2APlan> {
  const { timeoutMs = 20_000, versions = ["1.0"] } = options;
  const found = await discover(options, timeoutMs);
  const { capabilities, urls } = found;
  const settings = { version: "1.0", extensions: capabilities.requiredExtensions, timeoutMs };
  const clients = new Map<Binding, WireClient>();
  if (urls.jsonrpc !== undefined) clients.set("jsonrpc", createJsonRpcClient({ ...settings, url: urls.jsonrpc }));
  if (urls.rest !== undefined) clients.set("rest", createRestClient({ ...settings, url: urls.rest }));
  if (urls.grpc !== undefined) clients.set("grpc", createGrpcClient({ ...settings, url: urls.grpc }));
  if (urls.websocket !== undefined) clients.set("websocket", createWebSocketClient({ ...settings, url: urls.websocket }));
  const bindings = options.bindings ?? [...clients.keys()];
  const context: AgentContext = {
    baseUrl: options.baseUrl,
    card: found.card,
    capabilities,
    raw: createRaw({ jsonRpcUrl: urls.jsonrpc, restUrl: urls.rest }, settings),
    client: (binding) => (bindings.includes(binding) ? clients.get(binding) : undefined),
    messageId: (prefix) => `${prefix}-${crypto.randomUUID()}`,
    webhook: startWebhook,
  };

  const cases: PlannedA2ACase[] = [plan(declares(options, found.card, capabilities), undefined, () => context)];
  const notApplicable: string[] = [];
  const applicable = (item: ConformanceCase): boolean => item.when?.(capabilities) !== false;
  for (const item of versions.includes("1.0") ? a2aCases : []) {
    for (const binding of item.scope === "agent" ? [undefined] : (item.bindings ?? bindings)) {
      if (binding !== undefined && !bindings.includes(binding)) continue;
      const planned = plan(item, binding, () => context);
      if (applicable(item)) cases.push(planned);
      else notApplicable.push(planned.name);
    }
  }
  for (const item of versions.includes("0.3") ? v03Cases(found.v03) : []) {
    const planned = plan(item, undefined, () => context);
    if (applicable(item)) cases.push(planned);
    else notApplicable.push(planned.name);
  }

  const wanted = (item: PlannedA2ACase): boolean => options.only === undefined || options.only.some((prefix) => item.id.startsWith(prefix));
  return {
    cases: cases
      .filter(wanted)
      .map((item) => ({ ...item, run: () => inTime(item.run(), timeoutMs * 3, `no result within ${timeoutMs * 3} ms: ${item.name}`) })),
    notApplicable,
    async [Symbol.asyncDispose]() {
      for (const client of clients.values()) await client[Symbol.asyncDispose]();
    },
  };
}

function plan(item: ConformanceCase, binding: Binding | undefined, context: () => AgentContext): PlannedA2ACase {
  const { id, level, title, spec } = item;
  const name = `${level} ${id}${binding === undefined ? "" : ` [${binding}]`} ${title} (${spec})`;
  return {
    name,
    id,
    level,
    binding,
    async run() {
      if (item.scope === "agent") return item.run(context());
      const wire = binding === undefined ? undefined : context().client(binding);
      if (wire === undefined) return assert.fail(`the card declares no interface of ${binding}`);
      return item.run({ ...context(), wire });
    },
  };
}

/** The first case: the card declares what the caller of the suite expects of it. */
function declares(options: A2AConformanceOptions, card: JsonObject, capabilities: Capabilities): ConformanceCase {
  return {
    scope: "agent",
    id: "card.declares",
    level: "MUST",
    spec: "4.4.3",
    title: "the card declares what is expected of this server",
    run: async () => {
      const { expect = {} } = options;
      const declared = Object.fromEntries(Object.keys(expect).map((name) => [name, capabilities[name as keyof Capabilities]]));
      assert.deepEqual(declared, expect, JSON.stringify(card["capabilities"]));
    },
  };
}
