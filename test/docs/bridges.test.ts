import assert from "node:assert/strict";
import { test } from "node:test";
import { examplesOf, runExample } from "../support/examples.ts";
import { agentOf, serving } from "../support/serving.ts";

test("the examples of the guide to bridges run as they are written, against an agent on this machine", async (t) => {
  const whole = examplesOf("docs/guides/bridges.md").filter((text) => !text.includes("useChat"));
  assert.equal(whole.length, 3);
  const agent = agentOf(
    async function* (turn) {
      const heard = turn.input.flatMap(({ parts }) => parts.map(({ text }) => text ?? "")).join("");
      yield { kind: "text", text: `heard ${heard} after ${(await turn.history()).length}` };
    },
    { id: "assistant" },
  );
  const server = await serving(t, [agent]);
  const printed: string[] = [];
  for (const example of whole) printed.push(await runExample(t, example, server.url));
  assert.deepEqual(printed, ["heard Hello after 0", "heard And now? after 2", "heard Hello after 0"]);
});
