export { engineCases, runEngineConformance } from "./lib/testing/engine-conformance.ts";
export type { ChunkSource, EngineCase, EngineHarness } from "./lib/testing/engine-support.ts";
export { logCases, runLogCase, runLogConformance } from "./lib/testing/log-conformance.ts";
export type { CaseContext, LogCase, MadeStore, StoreFactory, TestClock } from "./lib/testing/log-support.ts";
export { testTurn, userMessage } from "./lib/testing/test-turn.ts";
export { runA2AConformance } from "./lib/testing/a2a/run-a2a-conformance.ts";
export { a2aCases, planA2AConformance } from "./lib/testing/a2a/plan.ts";
export type { A2AConformanceOptions, A2APlan, PlannedA2ACase } from "./lib/testing/a2a/plan.ts";
export type { AgentCase, AgentContext, BindingCase, BindingContext, Capabilities, ConformanceCase, Level } from "./lib/testing/a2a/conformance-case.ts";
