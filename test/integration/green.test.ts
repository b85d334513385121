import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test, type TestContext } from "node:test";
import { connectA2A } from "../../src/lib/client/connect.ts";
import { say } from "../../src/lib/engine/scripted.ts";
import type { JsonObject, StreamResponse, TaskState } from "../../src/lib/model/a2a.ts";
import { startIas } from "../support/ias-process.ts";
import { messageOf } from "../support/messages.ts";
import { agentOf, serving } from "../support/serving.ts";

// `ias green` as AgentBeats starts it, before subjects that are served here.

const CAMPAIGN = `
name: capitals
items:
  - { id: france, prompt: The capital of France?, expected: Paris }
  - { id: kenya, prompt: The capital of Kenya?, expected: Nairobi }
subjects: [http://127.0.0.1:9]
thresholds: { gapMs: 2s }
retries: { baseMs: 50ms }
`;

interface Result {
  readonly winner: string;
  readonly pass?: boolean;
  readonly score?: number;
  readonly detail: { readonly participants: Readonly<Record<string, JsonObject>>; readonly battles: readonly JsonObject[] };
}

interface Assessed {
  readonly log: readonly string[];
  readonly state: TaskState | undefined;
  readonly result: Result | undefined;
}

/** Sends an assessment and follows it to its end. */
async function assess(green: string, request: unknown): Promise<Assessed> {
  await using client = await connectA2A(green, { allowLocal: true });
  const log: string[] = [];
  let state: TaskState | undefined;
  let result: Result | undefined;
  const note = (event: StreamResponse): void => {
    if ("task" in event) state = event.task.status.state;
    if ("statusUpdate" in event) {
      ({ state } = event.statusUpdate.status);
      log.push(...(event.statusUpdate.status.message?.parts ?? []).flatMap(({ text }) => (text === undefined ? [] : [text])));
    }
    if ("artifactUpdate" in event) result = event.artifactUpdate.artifact.parts.find(({ data }) => data !== undefined)?.data as unknown as Result;
  };
  const text = typeof request === "string" ? request : JSON.stringify(request);
  for await (const { event } of client.stream({ message: messageOf(text) })) note(event);
  return { log, state, result };
}

/** A subject that says the capitals it knows; `hangsOnce` stops in the middle of its first answer. */
async function subject(t: TestContext, capitals: Readonly<Record<string, string>>, options: { readonly hangsOnce?: boolean } = {}): Promise<string> {
  let hangs = options.hangsOnce ?? false;
  const agent = agentOf(async function* answer(turn, signal) {
    const question = turn.input[0]?.parts[0]?.text ?? "";
    const country = Object.keys(capitals).find((name) => question.includes(name)) ?? "";
    yield* say("Let me see. ", { signal, tokenMs: 5 });
    if (hangs) {
      hangs = false;
      await new Promise(() => {});
    }
    yield* say(`It is ${capitals[country] ?? "not known"}.`, { signal, tokenMs: 5 });
  });
  const { url } = await serving(t, [agent]);
  return url;
}

async function startGreen(t: TestContext, campaign?: string): Promise<string> {
  const cwd = mkdtempSync(join(tmpdir(), "ias-green-"));
  t.after(() => rmSync(cwd, { recursive: true, force: true, maxRetries: 3 }));
  if (campaign !== undefined) writeFileSync(join(cwd, "campaign.yaml"), campaign);
  const flags = ["--host", "127.0.0.1", "--port", "0", "--json", ...(campaign === undefined ? [] : ["--campaign", "campaign.yaml"])];
  const child = startIas(t, ["green", ...flags], { cwd });
  const [line] = await child.until(/^\{.*\}$/m);
  return (JSON.parse(line) as { readonly url: string }).url;
}

const BOTH = { France: "Paris", Kenya: "Nairobi" };

test("assessments run at the same time, tell how they go, and end with AgentBeats' result", async (t) => {
  const [right, half, green] = [await subject(t, BOTH), await subject(t, { France: "Paris" }), await startGreen(t, CAMPAIGN)];
  const [one, two] = await Promise.all([
    assess(green, { participants: { agent: right }, config: {} }),
    assess(green, { participants: { pro: half, con: right }, config: {} }),
  ]);
  assert.equal(one.state, "TASK_STATE_COMPLETED", one.log.join("\n"));
  assert.deepEqual([one.result?.winner, one.result?.pass, one.result?.score], ["agent", true, 1]);
  assert.deepEqual(one.result?.detail.participants, { agent: { battles: 2, faults: 0, judged: 2, passed: 2, score: 1 } });
  assert.match(one.log[0] ?? "", /^Starting assessment: 2 items, agent\.$/);
  assert.ok(
    one.log.some((line) => /^agent\/france\/1 passed, score 1 \(\d+ tokens/.test(line)),
    one.log.join("\n"),
  );
  assert.deepEqual([two.result?.winner, two.result?.pass], ["con", undefined]);
  assert.equal(two.result?.detail.participants["pro"]?.["score"], 0.5);
  assert.equal(two.result?.detail.battles.length, 4);
});

test("a participant that hangs is found by its silence and asked again; the log says so", async (t) => {
  const [hung, green] = [await subject(t, BOTH, { hangsOnce: true }), await startGreen(t, CAMPAIGN)];
  const { log, result } = await assess(green, { participants: { agent: hung }, config: {} });
  assert.equal(result?.pass, true);
  assert.ok(
    log.some((line) => /is stalled/.test(line) || /InferenceStalled/.test(line)),
    log.join("\n"),
  );
  assert.ok(
    log.some((line) => /is tried again in/.test(line)),
    log.join("\n"),
  );
  assert.equal(result?.detail.battles.filter(({ attempts }) => attempts === 2).length, 1);
});

test("items and scorer may come with the assessment; what is none is rejected and says what is right", async (t) => {
  const [right, green] = [await subject(t, BOTH), await startGreen(t)];
  const config = { item: { id: "k", prompt: "The capital of Kenya?" }, green: { kind: "regex", pattern: "Nairobi\\.$" } };
  const { result } = await assess(green, { participants: { agent: right }, config });
  assert.deepEqual([result?.pass, result?.detail.battles[0]?.["item"]], [true, "k"]);
  const rejected = await assess(green, "hello");
  assert.equal(rejected.state, "TASK_STATE_REJECTED");
  assert.match(rejected.log.join(), /right is the JSON text \{"participants"/);
  assert.match((await assess(green, { participants: { agent: right } })).log.join(), /the config has no items/);
});

test("an assessment in which nothing can be judged fails and says why", async (t) => {
  const green = await startGreen(t, CAMPAIGN.replace("retries: {", "retries: { maxAttempts: 1, "));
  const { state, result, log } = await assess(green, { participants: { agent: "http://127.0.0.1:9" }, config: {} });
  assert.equal(state, "TASK_STATE_FAILED", log.join("\n"));
  assert.equal(result, undefined);
});

test("its help fits 100 columns, and a scenario is no campaign for it", async (t) => {
  const help = startIas(t, ["green", "--help"], { cwd: tmpdir() });
  assert.equal(await help.ended, 0);
  for (const line of help.out.split("\n")) assert.ok(line.length <= 100, line);
  const refused = startIas(t, ["green", "--campaign", "scenario.toml"], { cwd: tmpdir() });
  assert.equal(await refused.ended, 2);
  assert.match(refused.err, /a scenario\.toml has a green agent of its own/);
});
