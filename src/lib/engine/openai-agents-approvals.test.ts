import assert from "node:assert/strict";
import { test } from "node:test";
import { Agent, tool } from "@openai/agents";
import { assistantMessage, functionCall, modelResponder, ScriptedModel } from "@openai/agents/testing";
import { testTurn } from "../testing/test-turn.ts";
import type { Turn } from "./engine.ts";
import { noArguments, run, textOf } from "../../../test/support/agents-sdk.ts";

test("an approval ends the turn; its state alone goes on, in a new engine", async () => {
  const sent: string[] = [];
  const team = (model: ScriptedModel): Agent => {
    const send = tool({
      name: "send",
      description: "",
      parameters: noArguments,
      strict: false,
      needsApproval: true,
      execute: async (input) => {
        sent.push(JSON.stringify(input));
        return "sent";
      },
    });
    return new Agent({ name: "A", model, tools: [send] });
  };
  const first = await run(team(new ScriptedModel([[functionCall("send", '{"to":"Bo"}', { callId: "c1" })]])), testTurn("send it"));
  const last = first.at(-1);
  assert.ok(last?.kind === "interrupt" && last.state);
  assert.deepEqual(last.approvals, [{ call: "c1", name: "send", arguments: '{"to":"Bo"}' }]);
  assert.deepEqual(sent, []);
  const { state } = last;

  const unread = await run(team(new ScriptedModel([])), testTurn("what?", { state }));
  assert.equal(unread.length, 1);
  assert.ok(unread[0]?.kind === "interrupt" && unread[0].state?.data === state.data);

  const approved = await run(team(new ScriptedModel([[assistantMessage("It is sent.")]])), testTurn("Approve", { state }));
  assert.deepEqual(sent, ['{"to":"Bo"}']);
  assert.deepEqual(
    approved.filter(({ kind }) => kind !== "usage"),
    [
      { kind: "tool-call", call: "c1", name: "send", arguments: '{"to":"Bo"}' },
      { kind: "tool-result", call: "c1", name: "send", output: "sent" },
      { kind: "text", text: "It is sent." },
    ],
  );

  const reject: Turn = testTurn("", {
    state,
    input: [{ messageId: "m", role: "ROLE_USER", parts: [{ data: { approvals: [{ call: "c1", approve: false, reason: "too early" }] } }] }],
  });
  const rejected = await run(team(new ScriptedModel([modelResponder(({ request }) => [assistantMessage(JSON.stringify(request.input))])])), reject);
  assert.equal(sent.length, 1);
  assert.match(textOf(rejected), /too early/);
  const refused = rejected.find(({ kind }) => kind === "tool-result");
  assert.deepEqual(refused, { kind: "tool-result", call: "c1", name: "send", output: "The user rejected this call: too early", failed: true });
});

test("a child's tool that needs approval ends the turn, and goes on inside the child", async () => {
  const team = (childModel: ScriptedModel, parentModel: ScriptedModel): Agent => {
    const send = tool({ name: "send", description: "", parameters: noArguments, strict: false, needsApproval: true, execute: async () => "sent" });
    const child = new Agent({ name: "Child", model: childModel, tools: [send] });
    return new Agent({ name: "Parent", model: parentModel, tools: [child.asTool({ toolName: "ask", toolDescription: "" })] });
  };
  const first = await run(
    team(new ScriptedModel([[functionCall("send", "{}", { callId: "c2" })]]), new ScriptedModel([[functionCall("ask", '{"input":"x"}', { callId: "c1" })]])),
    testTurn("go"),
  );
  const last = first.at(-1);
  assert.ok(last?.kind === "interrupt" && last.state !== undefined);
  assert.deepEqual(
    last.approvals?.map(({ call, name }) => [call, name]),
    [["c2", "send"]],
  );
  const second = await run(
    team(new ScriptedModel([[assistantMessage("It is sent.")]]), new ScriptedModel([[assistantMessage("Done.")]])),
    testTurn("approve", { state: last.state }),
  );
  assert.deepEqual(
    second.flatMap((event) => (event.kind === "text" ? [[event.text, event.path?.join("/") ?? ""]] : [])),
    [
      ["It is sent.", "Child"],
      ["Done.", ""],
    ],
  );
});

test("of two calls that wait, one decision runs that one and asks again for the other", async () => {
  const ran: string[] = [];
  const agentOf = (model: ScriptedModel): Agent => {
    const act = tool({
      name: "act",
      description: "",
      parameters: noArguments,
      strict: false,
      needsApproval: true,
      execute: async (input) => void ran.push(JSON.stringify(input)),
    });
    return new Agent({ name: "A", model, tools: [act] });
  };
  const calls = [functionCall("act", '{"n":1}', { callId: "c1" }), functionCall("act", '{"n":2}', { callId: "c2" })];
  const first = (await run(agentOf(new ScriptedModel([calls])), testTurn("go"))).at(-1);
  assert.ok(first?.kind === "interrupt" && first.state !== undefined && first.approvals?.length === 2);
  const decision = (call: string) => [{ messageId: "m", role: "ROLE_USER" as const, parts: [{ data: { approvals: [{ call, approve: true }] } }] }];
  const second = (await run(agentOf(new ScriptedModel([])), testTurn("", { state: first.state, input: decision("c2") }))).at(-1);
  assert.deepEqual(ran, ['{"n":2}']);
  assert.ok(second?.kind === "interrupt" && second.state !== undefined);
  assert.deepEqual(
    second.approvals?.map(({ call }) => call),
    ["c1"],
  );
  await run(agentOf(new ScriptedModel([[assistantMessage("ok")]])), testTurn("", { state: second.state, input: decision("c1") }));
  assert.deepEqual(ran, ['{"n":2}', '{"n":1}']);
});

test("tools get who asks and the task as context, anew after an approval", async () => {
  const epochs: unknown[] = [];
  const agentOf = (model: ScriptedModel): Agent => {
    const act = tool({
      name: "act",
      description: "",
      parameters: noArguments,
      strict: false,
      needsApproval: true,
      execute: async (_input, context) => {
        epochs.push(context?.context);
        return "done";
      },
    });
    return new Agent({ name: "A", model, tools: [act] });
  };
  const first = (await run(agentOf(new ScriptedModel([[functionCall("act", "{}", { callId: "c1" })]])), testTurn("go"))).at(-1);
  assert.ok(first?.kind === "interrupt" && first.state !== undefined);
  await run(agentOf(new ScriptedModel([[assistantMessage("ok")]])), testTurn("approve", { state: first.state, epoch: 7 }));
  assert.deepEqual(epochs, [{ tenant: "test", user: "tester", agent: "agent", task: "task-1", context: "context-1", attempt: 1, epoch: 7, metadata: {} }]);
});
