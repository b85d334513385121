import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { test, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import type { Attempt } from "../../src/lib/campaign/attempt.ts";
import type { Summary } from "../../src/lib/campaign/progress.ts";
import { openLedger } from "../../src/lib/main/open-ledger.ts";
import type { StreamResponse } from "../../src/lib/model/a2a.ts";
import { engine } from "../support/engines.ts";
import { startIas } from "../support/ias-process.ts";
import { startModelServer } from "../support/model-server.ts";
import { chatText, textsSent } from "../support/model-texts.ts";
import { startRecordingProxy } from "../support/recording-proxy.ts";

// Campaigns of 25 battles, `ias campaign run`, against subjects on libraries that are not ours, in front of a model server that is not ours: a2a-sdk 1.x, and
// exactly a2a-sdk 0.3.5 by `updater.update_status()`, where an earlier attempt at streaming was given up. What the model server sent is what the ledger has.

const BATTLES = 25;
/** Enough that pieces lie apart: what comes all at once proves nothing. */
const TOKENS = 200;

/** A subject in a process of its own. */
async function startSubject(t: TestContext, name: "python-a2a-1" | "python-a2a-0.3.5", modelUrl: string): Promise<string> {
  const file = name === "python-a2a-1" ? "model_agent_1.py" : "model_agent_0_3_5.py";
  const path = fileURLToPath(new URL(`../servers/python/${file}`, import.meta.url));
  const child = spawn(engine(name).python, [path, modelUrl, String(TOKENS)], {
    stdio: ["pipe", "pipe", "inherit"],
    env: { ...process.env, PYTHONWARNINGS: "ignore" },
  });
  const ended = once(child, "exit");
  t.after(async () => {
    child.stdin.end();
    await ended;
  });
  const [line] = (await once(createInterface({ input: child.stdout }), "line")) as [string];
  return `http://127.0.0.1:${(JSON.parse(line) as { readonly port: number }).port}`;
}

/** The subject's text in one event, whichever way it sends it. */
function textOf(event: StreamResponse): string {
  const parts =
    "artifactUpdate" in event ? event.artifactUpdate.artifact.parts : "statusUpdate" in event ? (event.statusUpdate.status.message?.parts ?? []) : [];
  return parts.map(({ text = "" }) => text).join("");
}

for (const name of ["python-a2a-1", "python-a2a-0.3.5"] as const) {
  test(`${name}: a campaign of ${BATTLES} reaches its target, every battle is streamed, and each chunk of llama.cpp is one event in the ledger`, async (t) => {
    const models = await startModelServer();
    t.after(() => models[Symbol.asyncDispose]());
    const proxy = await startRecordingProxy(models.url);
    t.after(() => proxy[Symbol.asyncDispose]());
    const url = await startSubject(t, name, proxy.url);
    const cwd = mkdtempSync(join(tmpdir(), "ias-foreign-"));
    t.after(() => rmSync(cwd, { recursive: true, force: true, maxRetries: 3 }));
    const campaign = {
      name: "foreign",
      items: Array.from({ length: BATTLES }, (_, index) => ({ id: `item-${index}`, prompt: `Talk of number ${index}.` })),
      subjects: [{ id: "purple", url, metricsUrl: `${models.url}/metrics` }],
      green: { kind: "regex", pattern: "[^]" },
      target: BATTLES,
      concurrency: 4,
    };
    writeFileSync(join(cwd, "foreign.yaml"), JSON.stringify(campaign));
    const run = startIas(t, ["campaign", "run", "foreign.yaml", "--verbose"], { cwd });
    assert.equal(await run.ended, 0, run.err);

    const results = join(cwd, "results/foreign");
    const summary = JSON.parse(readFileSync(join(results, "summary.json"), "utf8")) as Summary;
    assert.deepEqual([summary.state, summary.judged, summary.passed, summary.attempts], ["done", BATTLES, BATTLES, BATTLES]);
    assert.deepEqual([summary.stalls, summary.retries, summary.failed], [{}, {}, {}]);
    await using ledger = openLedger(results, { readOnly: true });
    const reasons = new Set<string>();
    let chunks = 0;
    for await (const attempt of ledger.attempts()) {
      const texts: string[] = [];
      for await (const { event } of ledger.events(attempt.battle, attempt.attempt)) if (textOf(event) !== "") texts.push(textOf(event));
      chunks += texts.length;
      const prompt = `Talk of number ${attempt.item.slice("item-".length)}.`;
      const exchanges = proxy.exchanges.filter(({ request }) => request.includes(prompt));
      assert.equal(exchanges.length, 1, `${prompt} was asked once`);
      assert.deepEqual(texts, textsSent(exchanges[0]?.data ?? [], chatText), prompt);
      checkAttempt(attempt, texts);
      reasons.add(attempt.liveness?.why ?? "");
    }
    assert.equal(proxy.exchanges.length, BATTLES);
    assert.ok(chunks > (BATTLES * TOKENS) / 2, `${chunks} chunks: the model talks`);
    // What is promised is not yet shown: each battle has to show it itself before silence of its stream counts.
    assert.deepEqual(reasons, new Set([PROMISED]));
    t.diagnostic(`${BATTLES} battles, ${chunks} chunks of the model server, ${chunks} events with text in the ledger`);
    // `--verbose` shows the progress of every token.
    assert.equal(run.err.match(/ tokens?: "/g)?.length, chunks);
  });
}

const PROMISED = "the agent's card says that it streams; until it has sent content piece by piece, its engine's counters judge";

function checkAttempt({ liveness, measured, outcome }: Attempt, texts: readonly string[]): void {
  assert.equal(liveness?.mode, "stream");
  assert.equal(measured.contents, texts.length);
  assert.ok((measured.ttftMs ?? 0) < measured.durationMs && (measured.gapMaxMs ?? 0) < measured.durationMs, "it did not come at once");
  assert.ok(outcome?.kind === "judged" && outcome.answer === texts.join(""));
}
