import assert from "node:assert/strict";
import { test } from "node:test";
import { DEFAULT_THRESHOLDS } from "../liveness/thresholds.ts";
import { IasError } from "../model/errors.ts";
import type { Campaign } from "./campaign.ts";
import { campaignFromText, campaignToText } from "./campaign-text.ts";
import { campaignHash } from "./hash.ts";
import { DEFAULT_RETRIES, DEFAULT_TIMEOUT, readCampaign } from "./read-campaign.ts";

function read(text: string, files: Readonly<Record<string, string>> = {}): Campaign {
  return readCampaign(text, {
    path: "evals/campaign.yaml",
    readFile: (path) => {
      const file = files[path];
      if (file === undefined) throw new Error(`there is no ${path}`);
      return file;
    },
  });
}

function faults(text: string, files?: Readonly<Record<string, string>>): string[] {
  try {
    read(text, files);
  } catch (error) {
    assert.ok(error instanceof IasError);
    assert.equal(error.code, "configuration");
    return error.message.split("\n").map((line) => line.trim());
  }
  return [];
}

const SMALL = `
name: capitals
items:
  - prompt: What is the capital of France?
    expected: Paris
subjects: [http://127.0.0.1:4100]
`;

test("a small file resolves with every default filled in", () => {
  assert.deepEqual(read(SMALL), {
    name: "capitals",
    items: [{ id: "1", prompt: "What is the capital of France?", expected: "Paris" }],
    subjects: [{ id: "subject-1", url: "http://127.0.0.1:4100", concurrency: 4, headersFromEnv: {} }],
    green: { kind: "contains", ignoreCase: false },
    repeat: 1,
    concurrency: 4,
    retries: DEFAULT_RETRIES,
    liveness: "auto",
    thresholds: DEFAULT_THRESHOLDS,
    timeout: DEFAULT_TIMEOUT,
    metricsIntervalMs: 1000,
    maxAnswerLength: 1_000_000,
  } satisfies Campaign);
});

const FULL = `
name: All of it
items:
  - { id: a, prompt: "Say {}", green: { kind: json-schema, schema: { type: object, required: [x] } } }
  - { id: 2, prompt: b, expected: [1], metadata: { level: hard }, green: { kind: function, module: ./score.ts } }
  - { prompt: c, green: { kind: regex, pattern: "^c$" } }
  - { prompt: "", green: { kind: a2a, url: "http://127.0.0.1:9009", config: { rounds: 3 } } }
subjects:
  - { id: left, url: "http://127.0.0.1:1/a2a/x", concurrency: 2, metricsUrl: "http://127.0.0.1:8000/metrics", liveness: metrics, headersFromEnv: { authorization: KEY } }
  - http://127.0.0.1:2
green: { kind: judge, model: m, baseUrl: "http://127.0.0.1:8000/v1", apiKeyEnv: JUDGE_KEY }
target: 25
repeat: 3
concurrency: 8
retries: { maxAttempts: 2, byClass: { stall: 0 }, baseMs: 500ms, maxMs: 2m }
liveness: stream
thresholds: { gapMs: 45s, toolMs: none, workMs: 1.5h, slowRate: 2 }
timeout: { initialMs: 75s, backoff: 1.5 }
metricsIntervalMs: 250
passThreshold: 0.8
seed: 7
maxAnswerLength: 1000
`;

test("durations are ms or have a unit, none is Infinity, and what is absent takes its default", () => {
  const { thresholds, retries, timeout, items, subjects, green } = read(FULL);
  assert.deepEqual(thresholds, { ...DEFAULT_THRESHOLDS, gapMs: 45_000, toolMs: Number.POSITIVE_INFINITY, workMs: 5_400_000, slowRate: 2 });
  assert.deepEqual(retries, { maxAttempts: 2, byClass: { ...DEFAULT_RETRIES.byClass, stall: 0 }, baseMs: 500, maxMs: 120_000, maxRetryAfterMs: 3_600_000 });
  assert.deepEqual(timeout, { ...DEFAULT_TIMEOUT, initialMs: 75_000, backoff: 1.5 });
  assert.deepEqual(
    items.map(({ id, green: own }) => [id, own?.kind]),
    [
      ["a", "json-schema"],
      ["2", "function"],
      ["3", "regex"],
      ["4", "a2a"],
    ],
  );
  assert.deepEqual(
    subjects.map(({ id, concurrency }) => [id, concurrency]),
    [
      ["left", 2],
      ["subject-2", 8],
    ],
  );
  assert.equal(green.kind === "judge" && green.rubric.length > 0, true);
});

test("a ledger's text of a campaign gives the same campaign again", () => {
  for (const file of [SMALL, FULL]) {
    const again = campaignFromText(campaignToText(read(file)));
    assert.deepEqual(again, read(file));
    assert.equal(campaignHash(again), campaignHash(read(file)));
  }
});

test("the hash depends on what is asked and how it is judged, not on how it is written or run", () => {
  const hash = campaignHash(read(SMALL));
  const same = `{"subjects": [{"url": "http://127.0.0.1:4100"}], "thresholds": {"gapMs": "30s"}, "items": "x.jsonl", "name": "capitals"}`;
  const line = JSON.stringify({ expected: "Paris", prompt: "What is the capital of France?" });
  assert.equal(campaignHash(read(same, { "evals/x.jsonl": `${line}\n\n` })), hash);
  const slower = same.replace("30s", "31s").replace("4100", "4101").replace("{", '{"concurrency": 1, "passThreshold": 0.5, "liveness": "timeout", ');
  assert.equal(campaignHash(read(slower, { "evals/x.jsonl": line })), hash, "settings may change between two runs");
  const others = [
    same.replace("{", '{"repeat": 2, '),
    same.replace("{", '{"seed": 1, '),
    same.replace("{", '{"green": "exact", '),
    same.replace("capitals", "cities"),
  ];
  for (const other of others) assert.notEqual(campaignHash(read(other, { "evals/x.jsonl": line })), hash, other);
  assert.match(hash, /^[0-9a-f]{64}$/);
});

test("each fault is told with its line, its place, what was wrong and what is right", () => {
  const told = faults(`name: 7
items:
  - promt: hi
    expected: 1
  - 5
subjects:
  - htp://x
  - { url: http://x, concurency: 3 }
green: { kind: regx }
thresholds:
  gap: 30s
  toolMs: -4
  slowAfter: 2
`);
  assert.match(told[0] ?? "", /^evals\/campaign\.yaml is not a campaign:$/);
  const expected: readonly RegExp[] = [
    /^line 1: name is 7; it must be a text of 1 to 100 letters/,
    /^line 3: items\[0\]\.prompt is missing; it must be a text\.$/,
    /^line 3: items\[0\] has an unknown member "promt" \(did you mean "prompt"\?\); there are id, prompt,/,
    /^line 5: items\[1\] is 5; it must be a prompt, or an object with a prompt\.$/,
    /^line 7: subjects\[0\] is "htp:\/\/x"; it must be an http or https URL, or an object with a url\.$/,
    /^line 8: subjects\[1\] has an unknown member "concurency" \(did you mean "concurrency"\?\)/,
    /^line 9: green\.kind is "regx"; it must be exact, contains, regex, json-schema, judge, a2a or function\.$/,
    /^line 11: thresholds has an unknown member "gap" \(did you mean "gapMs"\?\)/,
    /^line 12: thresholds\.toolMs is -4; it must be a duration \(a number of ms above 0, .* or "none"\.$/,
    /^line 13: thresholds\.slowAfter is 2; it must be a share from 0 to 1\.$/,
  ];
  for (const [at, pattern] of expected.entries()) assert.match(told[at + 1] ?? "", pattern);
  assert.equal(told.length, expected.length + 1);
});

test("what the form cannot say is checked too", () => {
  const told = faults(`name: x
items: [{ prompt: a }, { id: 1, prompt: "", green: { kind: regex, pattern: "(" } }]
subjects: [http://x, { id: subject-1, url: http://x }]
timeout: { minMs: 50m }
thresholds: { slowAfter: 0 }
`).join("\n");
  assert.match(told, /line 2: items\[1\]\.id is "1", which another item has/);
  assert.match(told, /line 2: items\[0\]\.expected is missing; the scorer contains compares/);
  assert.match(told, /line 2: items\[1\]\.prompt is empty/);
  assert.match(told, /line 2: items\[1\]\.green is a regex that cannot be used: .*Unterminated group/);
  assert.match(told, /line 3: subjects\[1\]\.id is "subject-1", which another subject has/);
  assert.match(told, /line 4: timeout\.minMs is 3000000 ms; it must be at most maxMs/);
  assert.match(told, /line 5: thresholds do not fit: The threshold slowAfter is 0/);
});

test("addresses with a user or password are refused, and the message does not repeat the password", () => {
  const told = faults("name: x\nitems: [a]\nsubjects: [{ url: http://me:hunter2@127.0.0.1:1/ }]\ngreen: { kind: function, module: x.ts }\n").join("\n");
  assert.match(told, /subjects\[0\]\.url has a user or password; .* secrets go into headersFromEnv/);
  assert.doesNotMatch(told, /hunter2/);
  assert.match(faults("name: x\nitems: [a]\nsubjects: ['http://me:hunter2@x']\n").join("\n"), /subjects\[0\] has a user or password/);
  const noUrl = faults("name: x\nitems: [a]\nsubjects: [foo, { url: foo }]\ngreen: { kind: function, module: x.ts }\n");
  assert.deepEqual(noUrl.slice(1), [
    'line 3: subjects[0] is "foo"; it must be an http or https URL, or an object with a url.',
    'line 3: subjects[1].url is "foo"; it must be an http or https URL.',
  ]);
});

test("items of a JSONL file are read beside the campaign, and their faults have that file's lines", () => {
  const file = SMALL.replace(/items:[^]*subjects/, "items: data/items.jsonl\nsubjects");
  const { items } = read(file, { "evals/data/items.jsonl": '\uFEFF{"prompt":"a","expected":"b"}\r\n\n{"id":"z","prompt":"c","expected":"d"}\n' });
  assert.deepEqual(items, [
    { id: "1", prompt: "a", expected: "b" },
    { id: "z", prompt: "c", expected: "d" },
  ]);
  const told = faults(file, { "evals/data/items.jsonl": '{"prompt":"a","expected":1}\nno\n{"prompt":3}\n{"prompt":"a","expct":1}' });
  assert.deepEqual(told.slice(0, 3), [
    "evals/data/items.jsonl is not a campaign:",
    'line 2: the whole is not JSON: "no"; each line must be an object such as {"prompt": "…"}.',
    "line 3: prompt is 3; it must be a text.",
  ]);
  assert.match(told[3] ?? "", /^line 4: the whole has an unknown member "expct" \(did you mean "expected"\?\)/);
  assert.match(faults(file)[0] ?? "", /takes its items from "data\/items\.jsonl", which cannot be read: there is no evals/);
  assert.match(faults(file, { "evals/data/items.jsonl": "\n" })[0] ?? "", /has no items/);
});

test("what is not YAML, or not an object, is told as such; an alias bomb is refused", () => {
  assert.match(faults("name: [a\nitems: ")[0] ?? "", /^evals\/campaign\.yaml is not YAML: .* at line 2/);
  for (const empty of ["", "# nothing yet\n"])
    assert.deepEqual(faults(empty), ["evals/campaign.yaml is empty; a campaign has at least name, items and subjects."]);
  assert.deepEqual(faults("name: a\nitems: &a [*a]\nsubjects: [http://x]\n"), [
    "evals/campaign.yaml cannot be read: line 2: *a stands inside &a, so it would have no end.",
  ]);
  assert.deepEqual(read("name: a\nsubjects: [http://x]\nitems: [{ prompt: &a b, expected: *a }]\n").items, [{ id: "1", prompt: "b", expected: "b" }]);
  assert.match(faults("name: a\nname: b\n")[0] ?? "", /is not YAML: Map keys must be unique/);
  const bomb = [
    "a: &a [x,x,x,x,x,x,x,x,x]",
    ..."bcdefgh".split("").map(
      (name, at) =>
        `${name}: &${name} [${Array(9)
          .fill(`*${"abcdefg"[at] ?? ""}`)
          .join(",")}]`,
    ),
  ];
  assert.match(faults(bomb.join("\n"))[0] ?? "", /cannot be read: Excessive alias count/);
});
