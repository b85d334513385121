import assert from "node:assert/strict";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { campaign } from "infinite-agent-streams/campaign";
import { agentOf, serving } from "../../../test/support/serving.ts";

test("a program runs the campaign of a file, and again finds it done", async (t) => {
  const folder = await mkdtemp(join(tmpdir(), "ias-campaign-"));
  t.after(() => rm(folder, { recursive: true, force: true, maxRetries: 3 }));
  const agent = agentOf(async function* () {
    yield { kind: "text", text: "hello" };
  });
  const server = await serving(t, [agent]);
  const file = join(folder, "greeting.yaml");
  const items = [{ id: "one", prompt: "Greet me.", expected: "hello" }];
  await writeFile(
    file,
    JSON.stringify({ name: "greeting", items, subjects: [{ id: "polite", url: `${server.url}/a2a/agent` }], green: "contains", repeat: 3 }),
  );
  const out = join(folder, "out");
  const kinds: string[] = [];
  const summary = await campaign(file, { out, onProgress: ({ kind }) => kinds.push(kind) });
  assert.deepEqual([summary.state, summary.judged, summary.passed], ["done", 3, 3]);
  assert.equal((await readFile(join(out, "results.jsonl"), "utf8")).trimEnd().split("\n").length, 3);
  assert.equal(kinds.at(-1), "ended");
  assert.equal((await campaign(file, { out })).attempts, 3);
});
