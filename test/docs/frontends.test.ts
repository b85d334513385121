import assert from "node:assert/strict";
import { test } from "node:test";
import { examplesOf, runExample } from "../support/examples.ts";
import { agentOf, serving } from "../support/serving.ts";

test("every example of the guide to frontends runs as it is written", async (t) => {
  const examples = examplesOf("docs/guides/frontends.md");
  assert.equal(examples.length, 4);
  const parts: string[] = [];
  const agent = agentOf(
    async function* (turn) {
      for (const part of turn.input.flatMap((message) => message.parts)) parts.push(part.text ?? `${part.mediaType} ${(await turn.load(part)).byteLength}`);
      yield { kind: "text", text: "That is " };
      yield { kind: "text", text: "the answer." };
    },
    { inputModes: ["text/plain", "text/csv"] },
  );
  const server = await serving(t, [agent]);
  const printed = await Promise.all(examples.map((example) => runExample(t, example, server.url)));
  const [client = "", files = "", sse = "", socket = ""] = printed;
  assert.match(client, /That is \n\d+ the answer\./);
  assert.match(files, /^\/api\/files\/[0-9a-f]{64}\/scores\.csv 18 text\/csv\n/);
  for (const whole of [sse, socket]) assert.ok(whole.includes("That is ") && whole.includes("the answer.") && whole.includes("TASK_STATE_COMPLETED"), whole);
  assert.deepEqual(parts.toSorted(), ["Hello", "Hello", "What time is it in Tokyo?", "Who leads?", "text/csv 18"]);
});
