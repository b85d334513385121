import assert from "node:assert/strict";
import { test } from "node:test";
import { examplesOf, runExample } from "../support/examples.ts";
import { agentOf, serving } from "../support/serving.ts";

test("the first example of the guide to liveness runs as it is written, against an agent on this machine", async (t) => {
  const [example = ""] = examplesOf("docs/guides/liveness.md");
  const heard: string[] = [];
  const agent = agentOf(async function* (turn) {
    heard.push(turn.input.flatMap(({ parts }) => parts.map(({ text }) => text ?? "")).join(""));
    yield { kind: "text", text: "Hello too." };
  });
  const server = await serving(t, [agent]);
  await runExample(t, example, server.url);
  assert.deepEqual(heard, ["Hello"]);
});
