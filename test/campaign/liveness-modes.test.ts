import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { DEFAULT_THRESHOLDS } from "../../src/lib/liveness/thresholds.ts";
import { campaignOf } from "../support/campaigns.ts";
import { freePort } from "../support/free-port.ts";
import { run } from "../support/run-campaign.ts";
import { agentOf, serving } from "../support/serving.ts";
import { against, hello, type Play } from "../support/subjects.ts";

describe("what a campaign judges liveness by", () => {
  it("refuses to judge by what a subject does not offer, before anything is asked", async (t) => {
    let asked = 0;
    const play: Play = async function* () {
      asked += 1;
      yield* hello();
    };
    const server = await serving(t, [agentOf(play, { streaming: false }), agentOf(play, { id: "streams" })]);
    const subject = { id: "purple", url: `${server.url}/a2a/agent`, concurrency: 1, headersFromEnv: {} };
    const gone = `http://127.0.0.1:${await freePort()}/metrics`;
    for (const [change, code, message] of [
      [{ liveness: "stream" }, "configuration", /^purple cannot be judged by its stream.*the card of .* has no capabilities\.streaming\. Ask for `auto`/],
      [{ liveness: "metrics" }, "configuration", /^purple cannot be judged by its engine's counters.*no metricsUrl is known/],
      [{ subjects: [{ ...subject, liveness: "metrics", metricsUrl: gone }] }, "unavailable", /\/metrics cannot be read/],
      [
        {
          subjects: [
            { ...subject, url: `${server.url}/a2a/streams` },
            { ...subject, id: "other", liveness: "stream" },
          ],
        },
        "configuration",
        /^other cannot be/,
      ],
    ] as const)
      await assert.rejects(run(campaignOf({ subjects: [subject], ...change })), { code, reason: "LIVENESS_UNAVAILABLE", message });
    assert.equal(asked, 0);
    const { summary, progress } = await run(campaignOf({ subjects: [subject], green: { kind: "function", module: "x", name: "y" } }));
    const why = "the agent does not stream, and no metricsUrl is known";
    assert.deepEqual(summary.subjects["purple"]?.liveness, [{ mode: "timeout", why, attempts: 1 }]);
    assert.deepEqual(
      progress.filter(({ kind }) => kind === "liveness"),
      [{ kind: "liveness", subject: "purple", mode: "timeout", why }],
    );
    assert.ok(progress.findIndex(({ kind }) => kind === "liveness") < progress.findIndex(({ kind }) => kind === "attempt-started"));
  });

  it("reads counters with the credentials that its file names by their variables", async (t) => {
    const seen: (string | undefined)[] = [];
    const metrics = createServer((request, response) => {
      seen.push(request.headers.authorization);
      const isKnown = request.headers.authorization === "Bearer m1";
      response.writeHead(isKnown ? 200 : 401).end(isKnown ? "vllm:num_requests_running 1\nvllm:generation_tokens_total 5\n" : "who?");
    }).listen(0, "127.0.0.1");
    await once(metrics, "listening");
    t.after(() => metrics.close());
    const metricsUrl = `http://127.0.0.1:${(metrics.address() as AddressInfo).port}/metrics`;
    const campaign = await against(t, hello);
    const subjects = campaign.subjects.map((subject) => ({ ...subject, metricsUrl, liveness: "metrics" as const }));
    await assert.rejects(run({ ...campaign, subjects }), { code: "unavailable", reason: "LIVENESS_UNAVAILABLE" });
    const named = subjects.map((subject) => ({ ...subject, metricsHeadersFromEnv: { authorization: "METRICS_AUTH" } }));
    await assert.rejects(run({ ...campaign, subjects: named }), { code: "configuration", message: /METRICS_AUTH is not set; the header authorization/ });
    const { summary } = await run({ ...campaign, subjects: named }, { parts: { env: { METRICS_AUTH: "Bearer m1" } } });
    assert.deepEqual([summary.state, summary.subjects["purple"]?.liveness[0]?.mode, seen.at(-1)], ["done", "metrics", "Bearer m1"]);
  });

  it("warns of a gap in which hidden progress cannot be told", async (t) => {
    const codes = async (gapMs: number): Promise<readonly string[]> => {
      const { progress } = await run(await against(t, hello, { thresholds: { ...DEFAULT_THRESHOLDS, gapMs } }));
      return progress.flatMap((one) => (one.kind === "warning" ? [one.code] : []));
    };
    assert.deepEqual([await codes(14_000), await codes(15_000)], [["GAP_SHORT"], []]);
  });
});
