import { describe, it } from "node:test";
import { askCases, endCases } from "./engine-end.ts";
import { streamCases } from "./engine-stream.ts";
import type { EngineCase, EngineHarness } from "./engine-support.ts";

/**
 * What every `Engine` must do, case by case: each MUST of `engine/engine.ts`, proved by lock step and counting, not by time.
 * A case is independent of the others; run them with any runner by `case.run(harness)`, or all with `runEngineConformance`.
 */
export const engineCases: readonly EngineCase[] = [...streamCases, ...endCases, ...askCases];

/** Runs all cases with `node:test`. Cases that need `ask` are left out where the harness has none. */
export function runEngineConformance(name: string, harness: EngineHarness): void {
  void describe(`${name}: engine conformance`, () => {
    for (const engineCase of engineCases) {
      if (engineCase.needs === "ask" && harness.ask === undefined) continue;
      void it(engineCase.title, () => engineCase.run(harness));
    }
  });
}
