export { engineCases, runEngineConformance } from "./lib/testing/engine-conformance.ts";
export type { ChunkSource, EngineCase, EngineHarness } from "./lib/testing/engine-support.ts";
export { logCases, runLogCase, runLogConformance } from "./lib/testing/log-conformance.ts";
export type { CaseContext, LogCase, MadeStore, StoreFactory, TestClock } from "./lib/testing/log-support.ts";
export { testTurn, userMessage } from "./lib/testing/test-turn.ts";
