import { runA2AConformance } from "../../src/lib/testing/a2a/run-a2a-conformance.ts";
import type { A2AConformanceOptions } from "../../src/lib/testing/a2a/plan.ts";
import { type Modes, startConformanceAgent } from "./conformance-agent.ts";

// Each mode of the conformance agent (issue 3, section 6), examined with what its card must declare.
const full = { streaming: true, push: true, requiredExtensions: [] };
const bindings = ["jsonrpc", "rest", "grpc", "websocket"] as const;
const MODES: readonly (readonly [Modes, Omit<A2AConformanceOptions, "baseUrl">])[] = [
  [{}, { bindings, expect: full, versions: ["1.0", "0.3"] }],
  [{ noise: true }, { bindings, expect: full, versions: ["1.0", "0.3"] }],
  [{ push: false }, { bindings, expect: { ...full, push: false } }],
  [{ streaming: false }, { bindings, expect: { ...full, streaming: false } }],
  [{ requiredExtension: true }, { bindings, expect: { ...full, requiredExtensions: ["urn:a2a:tck:required-extension"] } }],
  [{ compat03: true }, { versions: ["0.3"] }],
];

for (const [modes, options] of MODES) {
  const server = await startConformanceAgent({ ...modes, websocket: true, port: 0, grpcPort: 0 });
  await runA2AConformance({ ...options, baseUrl: server.url, done: () => server[Symbol.asyncDispose]() });
}
