export { logCases, runLogCase, runLogConformance } from "./lib/testing/log-conformance.ts";
export type { CaseContext, LogCase, MadeStore, StoreFactory, TestClock } from "./lib/testing/log-support.ts";
