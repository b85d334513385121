import { describe, it } from "node:test";
import { createClock, type LogCase, type StoreFactory, type TestClock } from "./log-support.ts";
import { changesCases } from "./log-changes.ts";
import { durableCases } from "./log-durable.ts";
import { followCases } from "./log-follow.ts";
import { indexCases } from "./log-index.ts";
import { openCases } from "./log-open.ts";
import { readCases } from "./log-read.ts";
import { recordsCases } from "./log-records.ts";
import { upkeepCases } from "./log-upkeep.ts";
import { appendCases } from "./log-append.ts";

/**
 * What every `Store` must do, case by case: the contracts of `log`, `index`, `records` and `upkeep`, and SEMANTICS 1, 4 and 10 to 15.
 * A case is independent of the others and throws if the store is wrong; run them with any runner by `runLogCase`, or all with `runLogConformance`.
 */
export const logCases: readonly LogCase[] = [
  ...openCases,
  ...appendCases,
  ...readCases,
  ...followCases,
  ...changesCases,
  ...indexCases,
  ...recordsCases,
  ...upkeepCases,
  ...durableCases,
];

/** Runs one case on a fresh store. Gives false if the case needs a store that can be reopened, and this one cannot. */
export async function runLogCase(testCase: LogCase, createStore: StoreFactory): Promise<boolean> {
  const clock: TestClock = createClock();
  const made = await createStore({ now: clock.now });
  try {
    const { reopen } = made;
    if (testCase.needs === "reopen" && reopen === undefined) return false;
    const context = {
      store: made.store,
      clock,
      async reopen() {
        if (reopen === undefined) throw new Error("This store cannot be reopened.");
        context.store = await reopen();
        return context.store;
      },
    };
    await testCase.run(context);
  } finally {
    await made.dispose();
  }
  return true;
}

/** Runs all cases with `node:test`; `createStore` makes an empty store for each. Cases that need `reopen` are left out where the factory has none. */
export function runLogConformance(name: string, createStore: StoreFactory, options: { readonly durable: "durable" | "volatile" }): void {
  void describe(`${name}: log conformance`, () => {
    for (const testCase of logCases) {
      if (testCase.needs === "reopen" && options.durable === "volatile") continue;
      void it(testCase.title, async () => {
        if (!(await runLogCase(testCase, createStore))) throw new Error("The factory of a durable store must offer `reopen`.");
      });
    }
  });
}
