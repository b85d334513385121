import { inspect } from "node:util";
import type { TestEvent } from "node:test/reporters";

/** One line of the report that a test file's process writes for the runner. */
export type Line =
  | { readonly kind: "failed"; readonly name: string; readonly error: string }
  | { readonly kind: "ended"; readonly passed: number; readonly failed: number };

/**
 * A reporter of node:test that writes a `Line` of JSON per failure and one at the end. Skipped and unfinished tests count as failed:
 * what is not run proves nothing.
 */
// oxlint-disable-next-line import/no-default-export -- node:test takes a reporter by its default export
export default async function* report(events: AsyncIterable<TestEvent>): AsyncGenerator<string> {
  const line = (value: Line): string => `${JSON.stringify(value)}\n`;
  const names: string[] = [];
  for await (const { type, data } of events) {
    if (type === "test:start") {
      names.length = data.nesting;
      names[data.nesting] = data.name;
    } else if (type === "test:fail") {
      const { error } = data.details;
      if ((error as { failureType?: string }).failureType === "subtestsFailed") continue;
      const path = [...names.slice(0, data.nesting), data.name].join(" > ");
      yield line({ kind: "failed", name: path, error: inspect(error.cause ?? error) });
    } else if (type === "test:pass" && (data.skip !== undefined || data.todo !== undefined)) {
      yield line({ kind: "failed", name: data.name, error: "skipped or todo: a test runs or is not there" });
    } else if (type === "test:diagnostic" && data.message.includes("asynchronous activity after the test ended")) {
      yield line({ kind: "failed", name: "after its tests", error: data.message });
    } else if (type === "test:summary") {
      const { counts } = data;
      yield line({ kind: "ended", passed: counts.passed, failed: counts.tests - counts.passed });
    }
  }
}
