import assert from "node:assert/strict";
import { test } from "node:test";
import { HttpAgent, type BaseEvent } from "@ag-ui/client";
import { notHung } from "../../src/lib/testing/engine-support.ts";
import { lockStep } from "../support/lock-step.ts";
import { agentOf, serving } from "../support/serving.ts";

test("the AG-UI client gets each token as the model makes it", async (t) => {
  const step = lockStep(40);
  const server = await serving(t, [agentOf(() => step.run())]);
  const agent = new HttpAgent({ url: `${server.url}/agui/agent`, threadId: "thread", initialMessages: [{ id: "m1", role: "user", content: "go" }] });
  const deltas: string[] = [];
  const events: BaseEvent[] = [];
  const run = agent.runAgent(
    {},
    {
      onEvent: ({ event }) => void events.push(event),
      onTextMessageContentEvent({ event }) {
        deltas.push(event.delta);
        step.see();
      },
    },
  );
  const { newMessages } = await notHung("the run", run, 60_000);
  assert.deepEqual(deltas, step.tokens);
  assert.deepEqual(
    newMessages.map(({ role, content }) => ({ role, content })),
    [{ role: "assistant", content: step.tokens.join("") }],
  );
  assert.equal(events[0]?.type, "RUN_STARTED");
  assert.equal(events.at(-1)?.type, "RUN_FINISHED");
});
