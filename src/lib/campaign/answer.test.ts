import assert from "node:assert/strict";
import { test } from "node:test";
import type { Artifact, Message, Part, Task } from "../model/a2a.ts";
import { answerOf } from "./answer.ts";

const says = (id: string, ...parts: Part[]): Message => ({ messageId: id, role: "ROLE_AGENT", parts });

function taskOf(change: Partial<Task>): { readonly task: Task } {
  return { task: { id: "t", contextId: "c", status: { state: "TASK_STATE_COMPLETED" }, ...change } };
}

test("the answer is the artifacts' text and data, in order", () => {
  const artifacts: Artifact[] = [
    { artifactId: "a", parts: [{ text: "one " }, { text: "two" }] },
    { artifactId: "b", parts: [{ data: { n: 1 } }, { text: "three" }] },
  ];
  const said = taskOf({ artifacts, status: { state: "TASK_STATE_COMPLETED", message: says("m", { text: "done" }) } });
  assert.deepEqual(answerOf(said), { text: "one two\nthree", data: [{ n: 1 }] });
});

test("without artifacts it is the final message, or all status messages of one that streams by them", () => {
  const tokens = ["The ", "answer ", "is ", "42."].map((text, at) => says(String(at), { text }));
  const final = says("end", { text: "The answer is 42." });
  assert.equal(answerOf(taskOf({ history: tokens })).text, "The answer is 42.");
  assert.equal(answerOf(taskOf({ history: tokens, status: { state: "TASK_STATE_COMPLETED", message: final } })).text, "The answer is 42.");
  assert.equal(
    answerOf(taskOf({ history: tokens.slice(0, 3), status: { state: "TASK_STATE_COMPLETED", message: says("3", { text: "42." }) } })).text,
    "The answer is 42.",
  );
  assert.equal(answerOf(taskOf({ history: [{ ...final, role: "ROLE_USER" }] })).text, "");
});

test("a direct message is the answer itself", () => {
  assert.deepEqual(answerOf({ message: says("m", { text: "yes" }, { data: [1] }) }), { text: "yes", data: [[1]] });
});
