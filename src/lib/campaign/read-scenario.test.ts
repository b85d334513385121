import assert from "node:assert/strict";
import { test } from "node:test";
import type { Attempt } from "./attempt.ts";
import { assessmentOf, battleRequest } from "./assessment.ts";
import type { Verdict } from "./campaign.ts";
import { agentBeatsResults, loadCampaign } from "./load-campaign.ts";
import { readScenario, splitCommand } from "./read-scenario.ts";

/** The shape of the tutorial's debate: one green agent, two participants, a config. */
const DEBATE = `
[green_agent]
endpoint = "http://127.0.0.1:9009"
cmd = "python scenarios/debate/debate_judge.py --host 127.0.0.1 --port 9009"

[[participants]]
role = "pro_debater"
endpoint = "http://127.0.0.1:9019"
cmd = "python scenarios/debate/debater.py --host 127.0.0.1 --port 9019"
agentbeats_id = "abc"

[[participants]]
role = "con_debater"
endpoint = "http://127.0.0.1:9018"

[config]
topic = "Should artificial intelligence be regulated?"
num_rounds = 3
since = 2026-01-02
`;

test("AgentBeats' scenario is a campaign of one assessment, with the programs to start", () => {
  const { campaign, commands, participants } = readScenario(DEBATE, "scenarios/debate/scenario.toml");
  assert.equal(campaign.name, "debate");
  assert.equal(campaign.concurrency, 1);
  assert.deepEqual(participants, { pro_debater: "abc" });
  assert.deepEqual(
    commands.map(({ role, url, argv }) => [role, url, argv[1]]),
    [
      ["pro_debater", "http://127.0.0.1:9019", "scenarios/debate/debater.py"],
      ["green_agent", "http://127.0.0.1:9009", "scenarios/debate/debate_judge.py"],
    ],
  );
  const [subject] = campaign.subjects;
  const [item] = campaign.items;
  assert.ok(subject !== undefined && item !== undefined);
  const { url, parts } = battleRequest(campaign.green, subject, item);
  assert.equal(url, "http://127.0.0.1:9009");
  assert.deepEqual(JSON.parse(parts[0]?.text ?? ""), {
    participants: { pro_debater: "http://127.0.0.1:9019", con_debater: "http://127.0.0.1:9018" },
    config: { topic: "Should artificial intelligence be regulated?", num_rounds: 3, since: "2026-01-02" },
  });
});

test("an item that asks something is added to the config of its assessment; other greens get the prompt sent to the subject", () => {
  const green = { kind: "a2a", url: "http://g", config: { rounds: 1 }, role: "agent", others: {} } as const;
  const subject = { id: "s", url: "http://s", concurrency: 1, headersFromEnv: { authorization: "KEY" } };
  const item = { id: "1", prompt: "Why?", expected: "so" };
  assert.deepEqual(assessmentOf(green, subject, item), { participants: { agent: "http://s" }, config: { rounds: 1, item } });
  assert.deepEqual(battleRequest(green, subject, item).headersFromEnv, {}, "a subject's credentials are not the green's");
  const asked = battleRequest({ kind: "contains", ignoreCase: false }, subject, item);
  assert.deepEqual(asked, { url: "http://s", headersFromEnv: { authorization: "KEY" }, parts: [{ text: "Why?" }] });
});

test("what is wrong with a scenario is told, with what is right", () => {
  const cases: readonly (readonly [string, RegExp])[] = [
    ["[green_agent\n", /s\.toml is not TOML: .*/],
    ["[config]\nx = 1", /is not a scenario; right are \[green_agent\] and \[\[participants\]\]/],
    ['[green_agent]\nendpoint = "127.0.0.1:1"\n[[participants]]\nrole = "a"', /the endpoint of green_agent is "127\.0\.0\.1:1"; it must be a URL such as/],
    [
      '[green_agent]\nendpoint = "http://a"\n[[participants]]\nrole = "a"\nimage = "ghcr.io/x"',
      /endpoint of participant "a" is undefined; .*its image is for AgentBeats' own runner/,
    ],
    ['[green_agent]\nendpoint = "http://a"\n[[participants]]\nendpoint = "http://b"', /participants\[0\] has no role/],
    [
      '[green_agent]\nendpoint = "http://a"\n[[participants]]\nrole = "a"\nendpoint = "http://b"\n[[participants]]\nrole = "a"\nendpoint = "http://c"',
      /two participants have the role "a"/,
    ],
    [
      `[green_agent]\nendpoint = "http://a"\n[[participants]]\nrole = "a"\nendpoint = "http://b"\ncmd = "python 'x"`,
      /cmd of a has a quote ' that does not end/,
    ],
  ];
  for (const [text, message] of cases) assert.throws(() => readScenario(text, "s.toml"), { code: "configuration", message }, text);
});

test("command lines are split as a shell would, and nothing is expanded", () => {
  assert.deepEqual(splitCommand(String.raw`python  'a b' "c \"d\" $HOME" e\ f '' g"h"i`, "x"), ["python", "a b", 'c "d" $HOME', "e f", "", "ghi"]);
  assert.deepEqual(splitCommand("  ", "x"), []);
});

test("a file loads by its kind, and a schema that is none is found before anything is sent", async () => {
  const scenario = await loadCampaign("x/debate/scenario.toml", () => DEBATE);
  assert.equal(scenario.commands.length, 2);
  assert.deepEqual(scenario.agentBeats, { pro_debater: "abc" });
  const yaml = (type: string): string => `name: n\nitems: [a]\nsubjects: [http://x]\ngreen: { kind: json-schema, schema: { type: ${type} } }`;
  const loaded = await loadCampaign("c.yaml", () => yaml("object"));
  assert.deepEqual([loaded.commands, loaded.agentBeats], [[], undefined]);
  assert.match(loaded.hash, /^[0-9a-f]{64}$/);
  await assert.rejects(
    loadCampaign("c.yaml", () => yaml("objekt")),
    { code: "configuration", message: /^c\.yaml is not a campaign:\n {2}line 4: green\.schema is no JSON schema that can be used: schema is invalid/ },
  );
  const item =
    "name: n\nsubjects: [http://x]\nitems:\n  - a\n  - prompt: b\n    green: { kind: json-schema, schema: { type: 7 } }\ngreen: { kind: function, module: x.ts }";
  await assert.rejects(
    loadCampaign("c.yaml", () => item),
    { code: "configuration", message: /line 6: items\[1\]\.green\.schema is no JSON schema/ },
  );
  await assert.rejects(
    loadCampaign("c.yaml", () => {
      throw new Error("ENOENT");
    }),
    { code: "configuration", message: /c\.yaml cannot be read: ENOENT/ },
  );
});

test("AgentBeats' results file has the results of all that was judged", () => {
  const attemptOf = (verdict: Verdict): Attempt => ({
    battle: "b",
    subject: "s",
    item: "i",
    repeat: 1,
    attempt: 1,
    messageId: "m",
    contextId: "c",
    startedAt: 0,
    outcome: { kind: "judged", verdict, answer: "" },
    measured: { events: 0, contents: 0, tokens: 0, workedMs: 0, durationMs: 0 },
    episodes: [],
  });
  const one = attemptOf({ pass: true, score: 1, detail: { winner: "pro" } });
  const two = attemptOf({ pass: true, score: 1, detail: { results: [{ winner: "con" }, { score: 1 }] } });
  const failed: Attempt = { ...one, outcome: { kind: "canceled" } };
  assert.deepEqual(agentBeatsResults({ pro: "abc" }, [one, failed, two]), {
    participants: { pro: "abc" },
    results: [{ winner: "pro" }, { winner: "con" }, { score: 1 }],
  });
});
