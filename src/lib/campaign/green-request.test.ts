import assert from "node:assert/strict";
import { test } from "node:test";
import type { JsonObject, Message, Part } from "../model/a2a.ts";
import type { Campaign } from "./campaign.ts";
import { campaignOf, readAssessment } from "./green-request.ts";
import { readCampaign } from "./read-campaign.ts";

function messageOf(...parts: readonly Part[]): readonly Message[] {
  return [{ messageId: "1", role: "ROLE_USER", parts }];
}

const PARTICIPANTS = { agent: "http://127.0.0.1:9019" };

function ask(config: JsonObject, base?: Campaign): Campaign {
  return campaignOf({ participants: PARTICIPANTS, config }, base);
}

function baseOf(text: string): Campaign {
  return readCampaign(`name: base\nsubjects: [http://nobody]\n${text}`, { path: "base.yaml", readFile: () => "" });
}

test("an assessment is JSON in the text of a message, as AgentBeats' client sends it, or a data part", () => {
  const request = { participants: PARTICIPANTS, config: { rounds: 3 } };
  assert.deepEqual(readAssessment(messageOf({ text: JSON.stringify(request) })), request);
  assert.deepEqual(readAssessment(messageOf({ text: "Please assess:" }, { data: request })), request);
  assert.deepEqual(readAssessment(messageOf({ text: JSON.stringify({ participants: PARTICIPANTS }) })), { participants: PARTICIPANTS, config: {} });
  const wrong: readonly (readonly [Part, RegExp])[] = [
    [{ text: "hello" }, /is not an assessment; right is the JSON text \{"participants"/],
    [{ text: '{"participants": {}}' }, /participants/],
    [{ text: '{"participants": {"a": "ftp://x"}}' }, /participants\.a/],
    [{ text: "[1]" }, /does not fit/],
  ];
  for (const [part, message] of wrong) assert.throws(() => readAssessment(messageOf(part)), { code: "invalid-params", message });
});

test("the config has items and a scorer of its own; participants are the subjects", () => {
  const campaign = ask({ items: ["a", { id: "x", prompt: "b", expected: "c" }], green: { kind: "regex", pattern: "." }, repeat: 2 });
  assert.deepEqual(
    campaign.subjects.map(({ id, url }) => [id, url]),
    [["agent", "http://127.0.0.1:9019"]],
  );
  assert.deepEqual(
    campaign.items.map(({ id }) => id),
    ["1", "x"],
  );
  assert.equal(campaign.green.kind, "regex");
  assert.equal(campaign.repeat, 2);
});

test("what the config does not say comes from the green agent's own campaign, but not its target", () => {
  const base = baseOf(
    "items: [{ prompt: a, expected: b }]\ngreen: { kind: judge, model: m, baseUrl: http://127.0.0.1:1, apiKeyEnv: KEY }\ntarget: 7\nthresholds: { gapMs: 9s }\nmetricsIntervalMs: 7s\nrepeat: 3",
  );
  const campaign = ask({}, base);
  assert.deepEqual([campaign.items, campaign.green, campaign.repeat], [base.items, base.green, 3]);
  assert.deepEqual([campaign.target, campaign.thresholds.gapMs, campaign.metricsIntervalMs], [undefined, 9000, 7000]);
  const one = ask({ item: { id: "z", prompt: "q" }, repeat: 1 }, base);
  assert.deepEqual([one.items, one.green, one.repeat], [[{ id: "z", prompt: "q" }], base.green, 1]);
});

test("who calls cannot choose scorers that run code of this machine, read its files, or send its keys to others", () => {
  const items = [{ prompt: "a", expected: "b" }];
  const closed: readonly JsonObject[] = [
    { items, green: { kind: "function", module: "/etc/x.ts" } },
    { items, green: { kind: "judge", model: "m", baseUrl: "http://evil", apiKeyEnv: "OPENAI_API_KEY" } },
    { items, green: { kind: "a2a", url: "http://evil" } },
    { items: [{ prompt: "a", green: { kind: "function", module: "x.ts" } }] },
    { item: { prompt: "a", green: { kind: "judge", model: "m", baseUrl: "http://evil" } } },
  ];
  for (const config of closed) {
    for (const base of [undefined, baseOf("items: [{ prompt: a, expected: b }]")]) {
      assert.throws(() => ask(config, base), { code: "invalid-params", message: /must come from the green agent's own campaign/ }, JSON.stringify(config));
    }
  }
  assert.throws(() => ask({ items: "/etc/passwd" }), { code: "invalid-params", message: /no items/ });
  assert.throws(() => ask({ topic: "AI", items }), { code: "invalid-params", message: /the config has "topic"; it may have item, items, green/ });
  assert.throws(() => ask({}), { code: "invalid-params", message: /no items/ });
  assert.throws(() => ask({ items: [{ promt: "a" }] }), { code: "invalid-params", message: /did you mean "prompt"/ });
});
