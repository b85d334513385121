import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile } from "node:fs/promises";
import { createInterface } from "node:readline";
import { describe, test } from "node:test";
import { setTimeout as wait } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import type { Attempt } from "../../src/lib/campaign/attempt.ts";
import { openResultsFile } from "../../src/lib/campaign/results-file.ts";
import { openLedger } from "../../src/lib/main/open-ledger.ts";
import type { CampaignRunnerOptions } from "../servers/campaign-runner.ts";
import { countText } from "../servers/proof-agents.ts";
import { campaignOf } from "../support/campaigns.ts";
import { openWay } from "../support/cut-servers.ts";
import { run } from "../support/run-campaign.ts";
import { agentOf, serving } from "../support/serving.ts";
import { startServerProcess, temporaryFolder } from "../support/server-process.ts";
import { createRandom } from "../../src/lib/model/random.ts";

const SEED = Number(process.env["SEED"] ?? Date.now() % 1_000_000);
const RUNNER = fileURLToPath(new URL("../servers/campaign-runner.ts", import.meta.url));
const KILLS = 20;
const BATTLES = 200;
/** Of about 17 that each battle tells: so few that the campaign outlasts its kills. */
const MOST_LINES = 80;
const WORDS = Array.from({ length: 15 }, (_, index) => `w${index} `);

/** Runs it until it has told so many lines, then kills it; with `Infinity` to its end. Gives its exit code. */
async function life(folder: string, options: CampaignRunnerOptions, lines: number): Promise<number | null> {
  const child = spawn(process.execPath, [RUNNER, folder, JSON.stringify(options)], { stdio: ["ignore", "pipe", "inherit"] });
  const ended = once(child, "exit") as Promise<[number | null]>;
  let told = 0;
  createInterface({ input: child.stdout }).on("line", () => {
    told += 1;
    if (told >= lines) child.kill("SIGKILL");
  });
  return (await ended)[0];
}

async function attemptsIn(folder: string): Promise<readonly Attempt[]> {
  await using ledger = openLedger(folder, { readOnly: true });
  const attempts: Attempt[] = [];
  for await (const attempt of ledger.attempts()) attempts.push(attempt);
  return attempts;
}

describe(`the runner is killed ${KILLS} times (SEED=${SEED})`, { concurrency: 1, timeout: 580_000 }, () => {
  for (const [what, plain] of [
    ["a subject that speaks our extension", false],
    ["a subject that does not", true],
  ] as const) {
    test(`with ${what}: no battle is lost, and none counts twice`, async (t) => {
      const random = createRandom(SEED);
      const asked = new Map<string, number>();
      const agent = agentOf(async function* (turn) {
        const prompt = turn.input[0]?.parts[0]?.text ?? "";
        asked.set(prompt, (asked.get(prompt) ?? 0) + 1);
        for (const text of WORDS) {
          yield { kind: "text", text };
          await wait(5);
        }
      });
      const server = await serving(t, [agent]);
      await using folder = await temporaryFolder();
      const { thresholds: _, ...campaign } = campaignOf({
        subjects: [{ id: "purple", url: `${server.url}/a2a/agent`, concurrency: 8, headersFromEnv: {} }],
        items: Array.from({ length: BATTLES }, (_item, index) => ({ id: `i${index}`, prompt: `p${index}` })),
        green: { kind: "function", module: "x", name: "y" },
        concurrency: 8,
      });
      const options = { campaign, plain };
      for (let kill = 1; kill <= KILLS; kill += 1) {
        const lines = 1 + Math.floor(random() * MOST_LINES);
        assert.equal(await life(folder.path, options, lines), null, `kill ${kill}, after ${lines} lines, found it running`);
      }
      assert.equal(await life(folder.path, options, Infinity), 0);

      const attempts = await attemptsIn(folder.path);
      const battles = Map.groupBy(attempts, ({ battle }) => battle);
      assert.equal(battles.size, BATTLES);
      for (const [battle, tries] of battles) {
        assert.deepEqual(
          tries.map(({ attempt }) => attempt),
          tries.map((_try, index) => index + 1),
          battle,
        );
        const kinds = tries.map(({ outcome }) => outcome?.kind);
        assert.deepEqual(kinds, [...kinds.slice(1).map(() => "unknown"), "judged"], battle);
        const last = tries.at(-1)?.outcome;
        assert.equal(last?.kind === "judged" && last.answer, WORDS.join(""), battle);
      }
      if (!plain) {
        assert.equal(attempts.length, BATTLES, "every attempt went on");
        assert.deepEqual(
          [...asked.values()].filter((count) => count !== 1),
          [],
          "the subject was asked once for each",
        );
      }
      t.diagnostic(`${KILLS} kills, ${attempts.length - BATTLES} attempts of which nothing is known`);
      await using ledger = openLedger(folder.path);
      const file = `${folder.path}/results.jsonl`;
      await (await openResultsFile(file, ledger))[Symbol.asyncDispose]();
      const lines = (await readFile(file, "utf8")).trimEnd().split("\n");
      assert.equal(lines.length, attempts.length, "results.jsonl has every attempt");
    });
  }
});

test("purple is killed in mid-battle: the battle goes on, and counts once", { timeout: 120_000 }, async () => {
  await using folder = await temporaryFolder();
  await using way = await openWay("JSONRPC", () => undefined);
  let server = await startServerProcess(folder.path, {});
  way.leadTo(server);
  const request = { n: 60, ms: 5 };
  const campaign = campaignOf({
    items: Array.from({ length: 4 }, (_, index) => ({ id: `i${index}`, prompt: JSON.stringify(request) })),
    green: { kind: "function", module: "x", name: "y" },
  });
  let tokens = 0;
  let killed: Promise<void> | undefined;
  const ran = await run(campaign, {
    parts: { connect: async () => way.client(server, "count") },
    onProgress(progress) {
      if (progress.kind !== "tokens") return;
      tokens += 1;
      if (tokens < 40 || killed !== undefined) return;
      killed = server.kill().then(async () => {
        // A killed process's leases run out by the log's clock.
        server = await startServerProcess(folder.path, { aheadMs: 6000 });
        way.leadTo(server);
      });
    },
  });
  await killed;
  await server[Symbol.asyncDispose]();
  assert.deepEqual([ran.summary.state, ran.summary.judged], ["done", 4]);
  assert.ok(killed, "it was killed");
  for (const { outcome } of ran.attempts) {
    assert.ok(outcome?.kind === "judged");
    const turn = Number(outcome.answer.split(":")[0]);
    assert.equal(outcome.answer, countText(turn, request));
  }
});
