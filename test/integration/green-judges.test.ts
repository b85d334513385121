import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import type { Campaign } from "../../src/lib/campaign/campaign.ts";
import { createGreenAgent } from "../../src/lib/campaign/green-agent.ts";
import { runCampaign } from "../../src/lib/campaign/run-campaign.ts";
import type { Agent } from "../../src/lib/engine/agent.ts";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { say } from "../../src/lib/engine/scripted.ts";
import { DEFAULT_THRESHOLDS } from "../../src/lib/liveness/thresholds.ts";
import { connectSubject } from "../../src/lib/main/connect-subject.ts";
import { createMemoryLedger } from "../../src/lib/main/open-ledger.ts";
import { createGuardedFetch } from "../../src/lib/net/guarded-fetch.ts";
import { systemClock } from "../../src/lib/stream/clock.ts";
import { campaignOf } from "../support/campaigns.ts";
import { run } from "../support/run-campaign.ts";
import { agentOf, serving } from "../support/serving.ts";

// Green agents over A2A as judges of a campaign: they do the battles themselves, and are watched as subjects are.

function campaignWith(green: string, subject: string, change: Partial<Campaign> = {}): Campaign {
  return campaignOf({
    items: [
      { id: "a", prompt: "The capital of France?", expected: "Paris" },
      { id: "b", prompt: "The capital of Kenya?", expected: "Nairobi" },
    ],
    subjects: [{ id: "purple", url: subject, concurrency: 4, headersFromEnv: {} }],
    green: { kind: "a2a", url: green, config: { rounds: 2 }, role: "player", others: { referee: "http://127.0.0.1:9" } },
    ...change,
  });
}

/** The built-in evaluator, for the length of a test. */
function builtInGreen(t: TestContext): Agent {
  const fetch = createGuardedFetch({ allowLocal: true });
  t.after(() => fetch[Symbol.asyncDispose]());
  const engine = createGreenAgent({
    runCampaign,
    createLedger: createMemoryLedger,
    parts: {
      connect: (url, headers) => connectSubject(url, { headers, fetch }),
      fetch,
      clock: systemClock,
      monotonic: () => performance.now(),
      random: Math.random,
      env: {},
      loadScorer: () => Promise.reject(new Error("there is none")),
    },
  });
  return defineAgent({ id: "green", engine });
}

test("a green agent that hangs in mid-battle is found by its silence and asked again; its result is the verdict", async (t) => {
  const asked: unknown[] = [];
  let hangs = true;
  const { url } = await serving(t, [
    agentOf(async function* green(turn, signal) {
      const request = JSON.parse(turn.input[0]?.parts[0]?.text ?? "") as { readonly config: { readonly item: { readonly id: string } } };
      asked.push(request);
      yield* say("Asking the player. ", { signal, tokenMs: 5, artifact: "log" });
      if (request.config.item.id === "b" && hangs) {
        hangs = false;
        await new Promise(() => {});
      }
      const result = { winner: request.config.item.id === "b" ? "player" : "referee", detail: { reason: "by points" } };
      yield { kind: "artifact", artifact: { artifactId: "result", parts: [{ text: `The end.${JSON.stringify(result)}` }] } };
    }),
  ]);
  const { attempts, summary } = await run(campaignWith(url, "http://127.0.0.1:8", { thresholds: { ...DEFAULT_THRESHOLDS, gapMs: 1000 } }));
  assert.deepEqual(
    attempts.map(({ item, attempt, outcome }) => [
      item,
      attempt,
      outcome?.kind === "judged" ? outcome.verdict.pass : outcome?.kind === "failed" && outcome.failure.class,
    ]),
    [
      ["a", 1, false],
      ["b", 1, "stall"],
      ["b", 2, true],
    ],
  );
  assert.equal(summary.judged, 2);
  const [first] = attempts;
  assert.ok(first?.outcome?.kind === "judged");
  assert.deepEqual(first.outcome.verdict, { pass: false, score: 0, reason: "by points", detail: { winner: "referee", detail: { reason: "by points" } } });
  assert.deepEqual(asked[0], {
    participants: { player: "http://127.0.0.1:8", referee: "http://127.0.0.1:9" },
    config: { rounds: 2, item: { id: "a", prompt: "The capital of France?", expected: "Paris" } },
  });
});

test("the built-in evaluator judges a campaign's battles, while its own participants are slow but alive", async (t) => {
  const slow = agentOf(
    async function* slow(_, signal) {
      // Long enough that the evaluator's own log is silent for longer than the campaign's gap: it says that it waits for somebody.
      await wait(3500, undefined, { signal });
      yield* say("Well, I think that it is Paris, is it not?", { signal, tokenMs: 300 });
    },
    { id: "slow" },
  );
  const { url } = await serving(t, [builtInGreen(t), slow]);
  const campaign = campaignWith(`${url}/a2a/green`, `${url}/a2a/slow`, {
    green: { kind: "a2a", url: `${url}/a2a/green`, config: { green: "contains" }, role: "player", others: {} },
    thresholds: { ...DEFAULT_THRESHOLDS, gapMs: 2000 },
  });
  const { attempts } = await run(campaign);
  assert.deepEqual(
    attempts.map(({ item, outcome }) => [item, outcome?.kind === "judged" ? outcome.verdict.score : outcome]),
    [
      ["a", 1],
      ["b", 0],
    ],
  );
});

test("a lone participant that refuses what is hard does not pass by what is easy", async (t) => {
  const picky = agentOf(
    async function* picky(turn) {
      if (turn.input[0]?.parts[0]?.text?.includes("Kenya") === true) yield { kind: "end", outcome: "rejected", message: [{ text: "Too hard." }] };
      else yield { kind: "text", text: "Paris" };
    },
    { id: "picky" },
  );
  const { url } = await serving(t, [builtInGreen(t), picky]);
  const items = [
    { id: "a", prompt: "The capital of France?", expected: "Paris" },
    { id: "b", prompt: "The capital of Kenya?", expected: "Nairobi" },
  ];
  const campaign = campaignWith(`${url}/a2a/green`, `${url}/a2a/picky`, {
    items: [{ id: "all", prompt: "All." }],
    green: { kind: "a2a", url: `${url}/a2a/green`, config: { green: "contains", items, passThreshold: 0.6 }, role: "player", others: {} },
  });
  const { attempts } = await run(campaign);
  const outcome = attempts[0]?.outcome;
  assert.ok(outcome?.kind === "judged", JSON.stringify(outcome));
  assert.deepEqual([outcome.verdict.pass, outcome.verdict.score], [false, 0.5]);
});
