import assert from "node:assert/strict";
import { test } from "node:test";
import type { Agent } from "../../engine/agent.ts";
import type { AgentEvent, Turn } from "../../engine/engine.ts";
import { collect, textsOf } from "../../testing/engine-support.ts";
import { testTurn } from "../../testing/test-turn.ts";
import { createDemoAgents } from "./demo-agents.ts";
import { understand, type Wish } from "./understand.ts";
import { timeIn, zoneOf } from "./world-clock.ts";

const { signal } = new AbortController();
const now = (): Date => new Date("2026-11-20T23:15:00Z");
const demo = await createDemoAgents({ tokenMs: 0, now, random: () => 0.5 });

const asked: readonly (readonly [string, Wish])[] = [
  ["what time is it in Tokyo", { kind: "time", place: "Tokyo" }],
  ["What time is it in São Paulo right now?", { kind: "time", place: "São Paulo" }],
  ["what's the time?", { kind: "time", place: "UTC" }],
  ["2*21", { kind: "calculate", expression: "2*21" }],
  ["What is 12 times 12?", { kind: "calculate", expression: "12 * 12" }],
  ["15% of 80", { kind: "calculate", expression: "15 / 100 * 80" }],
  ["square root of 16", { kind: "calculate", expression: "sqrt(16)" }],
  ["(1+2)*3 please", { kind: "calculate", expression: "(1+2)*3" }],
  ["roll 2d6", { kind: "dice", count: 2, sides: 6 }],
  ["Roll three dice", { kind: "dice", count: 3, sides: 6 }],
  ["Send a note to Ada: the tests are green", { kind: "note", to: "Ada", text: "the tests are green" }],
  ["hello", { kind: "other" }],
  ["Tell me about tide pools", { kind: "other" }],
  ["My number is 555-0100 on 2026-11-20", { kind: "calculate", expression: "555-0100" }],
];
for (const [said, wish] of asked) test(`"${said}" is understood`, () => assert.deepEqual(understand(said), wish));

test("the clock knows zones, cities and their offset, and says what it does not know", () => {
  assert.equal(timeIn("Tokyo", now()), "Saturday, 21 November 2026, 08:15 (Asia/Tokyo, UTC+9)");
  assert.equal(timeIn("utc", now()), "Friday, 20 November 2026, 23:15 (UTC)");
  assert.equal(zoneOf("new york"), "America/New_York");
  assert.equal(zoneOf("san francisco"), "America/Los_Angeles");
  assert.throws(() => zoneOf("Atlantis"), { code: "invalid-params", message: /"Atlantis"/ });
  assert.throws(() => zoneOf("constructor"), { code: "invalid-params" });
});

test("assistant: the time in Tokyo, by a tool, with reasoning, token by token", async () => {
  const events = await ask("assistant", "what time is it in Tokyo?");
  assert.deepEqual(kinds(events), ["reasoning", "tool-call", "usage", "tool-result", "text", "usage"]);
  assert.equal(textsOf(events).join(""), "It is Saturday, 21 November 2026, 08:15 (Asia/Tokyo, UTC+9).");
  assert.ok(textsOf(events).length > 5);
});

test("assistant: 2*21", async () => {
  const events = await ask("assistant", "2*21");
  const call = events.find(({ kind }) => kind === "tool-call");
  assert.ok(call?.kind === "tool-call" && call.name === "calculator" && call.idempotent === true);
  assert.equal(textsOf(events).join(""), "The result is 42.");
});

test("assistant: what a tool refuses is said as it is", async () => {
  assert.match(textsOf(await ask("assistant", "what time is it in Atlantis?")).join(""), /^That did not work\..*No time zone is known for "Atlantis"/);
});

test("assistant: anything else gets a friendly answer that says it is scripted, and how to use a real model", async () => {
  const said = textsOf(await ask("assistant", "Do you like poetry?")).join("");
  assert.match(said, /“Do you like poetry\?”.*scripted.*2\*21.*--model/s);
});

test("assistant: a note waits for approval, and both answers work", async () => {
  const events = await ask("assistant", "Send a note to Ada: the tests are green");
  const last = events.at(-1);
  assert.ok(last?.kind === "interrupt" && last.state !== undefined);
  assert.deepEqual(JSON.parse(last.approvals?.[0]?.arguments ?? ""), { to: "Ada", text: "the tests are green" });
  const { state } = last;
  assert.match(textsOf(await ask("assistant", "approve", { state })).join(""), /note to Ada .* was approved/);
  assert.match(textsOf(await ask("assistant", "reject: not yet", { state })).join(""), /rejected.*not yet/);
});

test("team: numbers go to one specialist and places to the other, by hand-off", async () => {
  for (const [said, to, answer] of [
    ["12*12", "numbers", "The result is 144."],
    ["What time is it in Oslo?", "places", "It is Saturday, 21 November 2026, 00:15 (Europe/Oslo, UTC+1)."],
  ] as const) {
    const events = await ask("team", said);
    const delegation = events.find(({ kind }) => kind === "delegation");
    assert.deepEqual(delegation, { kind: "delegation", from: "team", to, via: "handoff" });
    assert.equal(textsOf(events).join(""), answer);
  }
});

test("team: a topic goes to the researcher as a tool, whose tokens come tagged by path, before the coordinator's answer", async () => {
  const events = await ask("team", "Tell me about tide pools");
  const inner = events.flatMap((event) => (event.kind === "text" && event.path?.join("/") === "researcher" ? [event.text] : []));
  assert.match(inner.join(""), /^First: name what “tide pools” is/);
  assert.ok(inner.length > 10);
  assert.match(textsOf(events).join(""), /^Here is what the researcher found.*tide pools.*scripted/s);
});

test("a conversation's earlier words do not count as this turn's", async () => {
  const history = async () => [
    { messageId: "1", role: "ROLE_USER" as const, parts: [{ text: "2*21" }] },
    { messageId: "2", role: "ROLE_AGENT" as const, parts: [{ text: "The result is 42." }] },
  ];
  assert.equal(textsOf(await ask("assistant", "3*3", { history })).join(""), "The result is 9.");
});

test("without a model's name nothing but the script answers, whatever endpoint is known", async () => {
  const { answeredBy } = await createDemoAgents({ endpoint: { baseUrl: "http://127.0.0.1:9/v1", apiKey: "k" } });
  assert.match(answeredBy, /scripted/);
});

test("a real model is named with its host, and what cannot work is refused at once", async () => {
  assert.equal((await createDemoAgents({ model: "llama", endpoint: { baseUrl: "http://127.0.0.1:9/v1" } })).answeredBy, "llama at 127.0.0.1:9");
  await assert.rejects(createDemoAgents({ model: "gpt" }), { code: "configuration", message: /OPENAI_API_KEY/ });
  await assert.rejects(createDemoAgents({ model: "gpt", endpoint: { baseUrl: "localhost" } }), { code: "configuration", message: /no URL/ });
});

async function ask(id: string, text: string, overrides: Partial<Turn> = {}): Promise<readonly AgentEvent[]> {
  return collect(agent(id).engine.run(testTurn(text, overrides), { signal }));
}

function agent(id: string): Agent {
  const found = demo.agents.find((one) => one.id === id);
  assert.ok(found);
  return found;
}

function kinds(events: readonly AgentEvent[]): readonly string[] {
  return events.map(({ kind }) => kind).filter((kind, index, all) => kind !== all[index - 1]);
}
