import { after, suite, test } from "node:test";
import { planA2AConformance } from "./plan.ts";
import type { A2AConformanceOptions } from "./plan.ts";

/**
 * Registers with node:test one test for each requirement of A2A that the server at `baseUrl` is subject to, on each binding.
 * The server runs an agent with the behaviours of the conformance agent, picked by the prefix of a message's `messageId`
 * (`tck-complete-task`, `tck-input-required`, `tck-stream-001` …; see `docs/` for the list). Await it at the top of a test file,
 * while the server is up and stays up: the card is read now, the tests run afterwards. Rejects when there is no agent card.
 */
export async function runA2AConformance(options: A2AConformanceOptions): Promise<void> {
  const plan = await planA2AConformance(options);
  const versions = (options.versions ?? ["1.0"]).join(" and ");
  void suite(`A2A ${versions} at ${options.baseUrl}`, () => {
    after(() => plan[Symbol.asyncDispose]());
    for (const item of plan.cases) void test(item.name, () => item.run());
  });
}
