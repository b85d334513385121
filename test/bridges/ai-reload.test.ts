import assert from "node:assert/strict";
import { test } from "node:test";
import type { Chat } from "@ai-sdk/react";
import { lastAssistantMessageIsCompleteWithApprovalResponses, type UIMessage } from "ai";
import { notHung } from "../../src/lib/testing/engine-support.ts";
import { lockStep } from "../support/lock-step.ts";
import { agentOf, rpcClient, serving } from "../support/serving.ts";
import { chatOf, textOf, until } from "./chat.ts";

// A page that is loaded anew has its messages of before, or those of its own store, and a chat that knows nothing.

for (const kept of ["what it showed", "the question alone"] as const) {
  test(`a chat that is loaded anew in the middle of an answer, with ${kept}, resumes it: nothing missing, nothing twice`, async (t) => {
    const step = lockStep(100);
    const server = await serving(t, [agentOf(() => step.run())]);
    let longest = 0;
    const seeing = (chat: Chat<UIMessage>): void => {
      let length = longest;
      chat["~registerMessagesCallback"](() => {
        const now = textOf(chat.messages[1]).length;
        if (now <= length) return;
        length = now;
        longest = now;
        step.see();
      });
    };
    const first = chatOf(server.url);
    seeing(first);
    const sending = first.sendMessage({ text: "go" });
    await until(first, () => textOf(first.messages[1]).includes("t30 "));
    await first.stop();
    await sending;
    const half = textOf(first.messages[1]);
    assert.ok(half.length < step.tokens.join("").length, "it was left in the middle");
    const messages = structuredClone(kept === "the question alone" ? first.messages.slice(0, 1) : first.messages);
    const second = chatOf(server.url, { messages });
    seeing(second);
    await notHung("the rest", second.resumeStream(), 60_000);
    assert.equal(second.messages.length, 2);
    assert.equal(textOf(second.messages[1]), step.tokens.join(""));
    assert.equal(second.status, "ready");
  });
}

test("approvals of two calls are asked again after a reload, and the task goes on once both are answered", async (t) => {
  const agent = agentOf(async function* (turn) {
    if (turn.state === undefined) {
      const approvals = ["a", "b"].map((call) => ({ call, name: "pay", arguments: `{"to":"${call}"}` }));
      for (const each of approvals) yield { kind: "tool-call", ...each };
      yield { kind: "interrupt", reason: "input", approvals, state: { version: "test/1", data: "asked" } };
      return;
    }
    yield { kind: "text", text: JSON.stringify(turn.input.flatMap(({ parts }) => parts.map(({ data }) => data))) };
  });
  const server = await serving(t, [agent]);
  const first = chatOf(server.url);
  await first.sendMessage({ text: "pay both" });
  const second = chatOf(server.url, { messages: first.messages.slice(0, 1), sendAutomaticallyWhen: lastAssistantMessageIsCompleteWithApprovalResponses });
  await second.resumeStream();
  const waiting = (second.messages[1]?.parts ?? []).flatMap((part) => (part.type === "dynamic-tool" && part.state === "approval-requested" ? [part] : []));
  assert.deepEqual(
    waiting.map(({ input }) => input),
    [{ to: "a" }, { to: "b" }],
  );
  await second.addToolApprovalResponse({ id: waiting[0]?.approval.id ?? "", approved: true });
  assert.equal(second.status, "ready", "one answer is not both");
  await second.addToolApprovalResponse({ id: waiting[1]?.approval.id ?? "", approved: false, reason: "too much" });
  await until(second, () => second.status === "ready" && textOf(second.messages[1]) !== "");
  const approvals = [
    { call: "a", approve: true },
    { call: "b", approve: false, reason: "too much" },
  ];
  assert.deepEqual(JSON.parse(textOf(second.messages[1])), [{ approvals }]);
  assert.equal((await rpcClient(`${server.url}/a2a/agent`).must<{ totalSize: number }>("ListTasks", {})).totalSize, 1);
});
