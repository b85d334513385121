import { after, suite, test } from "node:test";
import { planA2AConformance } from "./plan.ts";
import type { A2AConformanceOptions } from "./plan.ts";

/** How many cases run at a time. They share nothing, and some wait for seconds. */
const CONCURRENCY = 4;

/**
 * Registers with node:test one test for each requirement of A2A that the server at `baseUrl` is subject to, on each binding.
 * The server runs an agent whose behaviours are picked by the prefix of a message's `messageId`, as `docs/conformance.md` lists.
 * Await it at the top of a test file, while the server is up and stays up: the card is read now, the tests run afterwards; `done`
 * is called after the last of them. Rejects when there is no agent card.
 */
export async function runA2AConformance(options: A2AConformanceOptions & { readonly done?: () => PromiseLike<void> }): Promise<void> {
  const { done, ...about } = options;
  const plan = await planA2AConformance(about);
  const versions = (options.versions ?? ["1.0"]).join(" and ");
  void suite(`A2A ${versions} at ${options.baseUrl}`, { concurrency: CONCURRENCY }, () => {
    after(async () => {
      await plan[Symbol.asyncDispose]();
      await done?.();
    });
    for (const item of plan.cases) void test(item.name, () => item.run());
  });
}
