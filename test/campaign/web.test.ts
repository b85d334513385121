import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { type TestContext, test } from "node:test";
import { makeApiKey } from "../../src/lib/tenancy/api-keys.ts";
import type { CampaignBoard, CampaignOverview } from "../../src/lib/model/api.ts";
import { apiClient, entriesOf, textOfEntries } from "../support/api-client.ts";
import { readEvents } from "../support/event-source.ts";
import { agentOf, serving } from "../support/serving.ts";

function folders(t: TestContext): { readonly campaignsDir: string; readonly resultsDir: string } {
  const folder = mkdtempSync(join(tmpdir(), "ias-campaigns-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const [campaignsDir, resultsDir] = [join(folder, "campaigns"), join(folder, "results")];
  mkdirSync(campaignsDir);
  return { campaignsDir, resultsDir };
}

/** A subject that says the numbers to ten and then waits for `release`. */
function slowSubject(t: TestContext) {
  let release = (): void => undefined;
  const released = new Promise<void>((resolve) => (release = resolve));
  // Also where the test fails: a turn that never ends would hold the server.
  t.after(() => release());
  const agent = agentOf(async function* () {
    for (let count = 1; count <= 10; count += 1) yield { kind: "text", text: `${count} ` };
    await released;
    yield { kind: "text", text: "done" };
  });
  return { agent, release };
}

const yaml = (url: string, name = "nightly"): string => `name: ${name}
items:
  - { id: one, prompt: Count., expected: done }
  - { id: two, prompt: Count again., expected: done }
green: contains
subjects: [{ id: counter, url: ${url} }]
`;

test("a campaign is started by its name, watched while it runs, paused and told to its end", { timeout: 120_000 }, async (t) => {
  const { agent, release } = slowSubject(t);
  const { campaignsDir, resultsDir } = folders(t);
  const server = await serving(t, [agent], { campaignsDir, resultsDir });
  writeFileSync(join(campaignsDir, "nightly.yaml"), yaml(`${server.url}/a2a/agent`));
  writeFileSync(join(campaignsDir, "broken.yaml"), "name: broken\nitems: 3\n");
  const api = apiClient(server.url);

  const { body: listed } = await api.get<{ campaigns: readonly CampaignOverview[] }>("/api/campaigns");
  assert.deepEqual(
    listed.campaigns.map(({ name, state, startable, target, problem }) => [name, state, startable, target, problem !== undefined]),
    [
      ["broken", "new", false, undefined, true],
      ["nightly", "new", true, 2, false],
    ],
  );
  assert.equal((await api.post("/api/campaigns/nightly/start", undefined)).status, 204);
  const again = await api.post<{ error: { reason: string } }>("/api/campaigns/nightly/start", undefined);
  assert.deepEqual([again.status, again.body.error.reason], [409, "CAMPAIGN_RUNS"]);

  // The board shows both battles generating before either has ended.
  const boards = await readEvents(`${server.url}/api/campaigns/nightly/events`, { until: ({ data }) => running(data).length === 2, maxConnections: 1 });
  const [first] = running(boards.events.at(-1)?.data ?? "");
  assert.deepEqual([first?.phase, first?.tokens, first?.running], ["generating", 10, true]);

  // An attempt's own stream is followed while it runs, and ends with it.
  const following = readEvents(`${server.url}/api/campaigns/nightly/battles/${encodeURIComponent(first?.battle ?? "")}/1/events`, {
    until: ({ type, data }) => {
      if (data.includes('"10 "')) release();
      return type === "end";
    },
    maxConnections: 1,
  });
  const { events } = await following;
  assert.equal(textOfEntries(entriesOf(events)), "1 2 3 4 5 6 7 8 9 10 done");
  const seqs = entriesOf(events).map(({ seq }) => seq);
  assert.deepEqual(
    seqs,
    [...seqs].sort((a, b) => a - b),
  );

  const over = await readEvents(`${server.url}/api/campaigns/nightly/events`, { until: ({ data }) => boardOf(data).state === "done", maxConnections: 1 });
  const board = boardOf(over.events.at(-1)?.data ?? "");
  assert.deepEqual([board.judged, board.passed, board.total, board.battles.map(({ phase }) => phase)], [2, 2, 2, ["passed", "passed"]]);
  assert.match(board.battles[0]?.liveness?.mode ?? "", /^stream$/);

  const paused = await api.post<{ paused: boolean }>("/api/campaigns/nightly/pause", undefined);
  assert.deepEqual([paused.status, paused.body.paused], [200, true]);
  const requeued = await api.post<{ requeueBattles: readonly string[] }>("/api/campaigns/nightly/requeue", { battles: [first?.battle] });
  assert.deepEqual(requeued.body.requeueBattles, [first?.battle]);
  assert.equal((await api.post("/api/campaigns/nightly/requeue", { battles: ["nobody/1/1"] })).status, 400);
  const compared = await api.get<{ battles: number; broken: number }>("/api/campaigns/nightly/comparison/nightly");
  assert.deepEqual([compared.body.battles, compared.body.broken], [2, 0]);
});

test("a campaign that was canceled as soon as it was started goes on when it is started again", { timeout: 120_000 }, async (t) => {
  const { agent, release } = slowSubject(t);
  const { campaignsDir, resultsDir } = folders(t);
  const server = await serving(t, [agent], { campaignsDir, resultsDir });
  writeFileSync(join(campaignsDir, "nightly.yaml"), yaml(`${server.url}/a2a/agent`));
  const api = apiClient(server.url);
  const boardWhere = async (holds: (board: CampaignBoard) => boolean): Promise<CampaignBoard> => {
    const { events } = await readEvents(`${server.url}/api/campaigns/nightly/events`, { until: ({ data }) => holds(boardOf(data)), maxConnections: 1 });
    return boardOf(events.at(-1)?.data ?? "");
  };

  // Steered at once: whoever is told that it runs can reach it.
  assert.equal((await api.post("/api/campaigns/nightly/start", undefined)).status, 204);
  assert.equal((await api.post("/api/campaigns/nightly/pause", undefined)).status, 200);
  assert.equal((await api.post("/api/campaigns/nightly/resume", undefined)).status, 200);
  await boardWhere(({ battles }) => battles.filter(({ tokens }) => tokens === 10).length === 2);
  const one = (await api.get<CampaignBoard>("/api/campaigns/nightly")).body.battles.find(({ item }) => item === "one");
  assert.equal((await api.post("/api/campaigns/nightly/cancel", { battles: [one?.battle] })).status, 200);
  await boardWhere(({ battles }) => battles.some(({ item, phase }) => item === "one" && phase === "canceled"));
  assert.equal((await api.post("/api/campaigns/nightly/cancel", undefined)).status, 200);
  const stopped = await boardWhere(({ state, runner }) => state === "canceled" && !runner);
  assert.deepEqual(
    stopped.battles.map(({ phase }) => phase),
    ["canceled", "canceled"],
  );

  release();
  await api.post("/api/campaigns/nightly/pause", undefined);
  assert.equal((await api.post("/api/campaigns/nightly/start", undefined)).status, 204);
  // What the cancel of the whole campaign ended is tried again, the battle that was canceled by its name is not.
  const over = await boardWhere(({ state, runner }) => state === "exhausted" && !runner);
  assert.deepEqual([over.wishes.canceled, over.wishes.paused, over.judged], [false, false, 1]);
  assert.deepEqual(Object.fromEntries(over.battles.map(({ item, phase }) => [item, phase])), { one: "canceled", two: "passed" });
});

test("a campaign that is still beginning is reached: canceled before its ledger has it, no battle begins", { timeout: 120_000 }, async (t) => {
  const { agent } = slowSubject(t);
  const { campaignsDir, resultsDir } = folders(t);
  const server = await serving(t, [agent], { campaignsDir, resultsDir });
  const ready = join(campaignsDir, "ready");
  // The runner looks at its scorers before it writes anything.
  const waits = `import { existsSync } from "node:fs";
while (!existsSync(${JSON.stringify(ready)})) await new Promise((resolve) => setTimeout(resolve, 20));
export const score = () => ({ score: 1 });
`;
  writeFileSync(join(campaignsDir, "scorer.mjs"), waits);
  const green = "green: { kind: function, module: ./scorer.mjs, name: score }";
  writeFileSync(join(campaignsDir, "nightly.yaml"), yaml(`${server.url}/a2a/agent`).replace("green: contains", green));
  const api = apiClient(server.url);
  const starting = api.post("/api/campaigns/nightly/start", undefined);
  const begun = await readEvents(`${server.url}/api/campaigns/nightly/events`, { until: ({ data }) => boardOf(data).runner, maxConnections: 1 });
  assert.equal(boardOf(begun.events.at(-1)?.data ?? "").state, "running");
  const paused = await api.post<CampaignBoard["wishes"]>("/api/campaigns/nightly/pause", undefined);
  assert.deepEqual([paused.status, paused.body.paused], [200, true]);
  const canceled = await api.post<CampaignBoard["wishes"]>("/api/campaigns/nightly/cancel", undefined);
  assert.deepEqual([canceled.status, canceled.body.canceled], [200, true]);
  assert.equal((await api.post("/api/campaigns/nightly/cancel", { battles: ["counter/one/1"] })).status, 404, "no battle has begun");
  const { body: board } = await api.get<CampaignBoard>("/api/campaigns/nightly");
  assert.deepEqual([board.runner, board.wishes.paused, board.wishes.canceled], [true, true, true], "the board says what is wished");
  writeFileSync(ready, "");
  assert.equal((await starting).status, 204, "it was started, and ended as it was told to");
  const over = await readEvents(`${server.url}/api/campaigns/nightly/events`, { until: ({ data }) => !boardOf(data).runner, maxConnections: 1 });
  const last = boardOf(over.events.at(-1)?.data ?? "");
  assert.deepEqual([last.state, last.attempts, last.battles], ["canceled", 0, []]);
});

test("what does not stand in the folder is not started, and only operators see campaigns", { timeout: 60_000 }, async (t) => {
  const { campaignsDir, resultsDir } = folders(t);
  const keys = [makeApiKey({ tenant: "acme", user: "ann", roles: ["operator"] }), makeApiKey({ tenant: "acme", user: "bob" })];
  const file = join(campaignsDir, "..", "keys");
  writeFileSync(file, keys.map(({ line }) => `${line}\n`).join(""));
  writeFileSync(join(campaignsDir, "..", "outside.yaml"), yaml("http://127.0.0.1:9/", "outside"));
  writeFileSync(join(campaignsDir, "broken.yaml"), "name: broken\nitems: 3\n");
  const server = await serving(t, [agentOf(async function* () {})], { campaignsDir, resultsDir, auth: { kind: "api-keys", file } });
  const ann = apiClient(server.url, { authorization: `Bearer ${keys[0]?.key}` });
  const bob = apiClient(server.url, { authorization: `Bearer ${keys[1]?.key}` });
  for (const name of ["outside", "..%2Foutside", "../outside", "", "."]) {
    const { status } = await ann.post(`/api/campaigns/${name}/start`, undefined);
    assert.ok(status === 404 || status === 405, `${name}: ${status}`);
    assert.ok([404, 200].includes((await ann.get(`/api/campaigns/${name}`)).status));
  }
  const broken = await ann.post<{ error: { message: string } }>("/api/campaigns/broken/start", undefined);
  assert.match(broken.body.error.message, /items/);
  for (const path of [
    "/api/campaigns",
    "/api/campaigns/x",
    "/api/campaigns/x/events",
    "/api/campaigns/x/battles/b/1/events",
    "/api/campaigns/x/comparison/y",
  ]) {
    const { status, body } = await bob.get<{ error: { reason: string } }>(path);
    assert.deepEqual([status, body.error.reason], [403, "OPERATOR_ONLY"], path);
  }
  for (const verb of ["start", "pause", "resume", "cancel"]) assert.equal((await bob.post(`/api/campaigns/x/${verb}`, undefined)).status, 403, verb);
});

function boardOf(data: string): CampaignBoard {
  return JSON.parse(data) as CampaignBoard;
}

function running(data: string): CampaignBoard["battles"] {
  return data === "" ? [] : boardOf(data).battles.filter((battle) => battle.running && battle.tokens === 10 && battle.phase === "generating");
}
