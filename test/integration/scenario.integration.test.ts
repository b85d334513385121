import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { test } from "node:test";
import { promisify } from "node:util";
import { say } from "../../src/lib/engine/scripted.ts";
import { engine } from "../support/engines.ts";
import { freePort } from "../support/free-port.ts";
import { startIas } from "../support/ias-process.ts";
import { agentOf, serving } from "../support/serving.ts";
import { root } from "../support/tree.ts";

// A scenario.toml in AgentBeats' form, with a green agent built as its tutorial builds them, on the library that it uses.

const { python } = engine("python-a2a-0.3.5");

const SUBJECT = `
import { scripted } from "infinite-agent-streams";
export const agents = [{ id: "subject", engine: scripted([{ kind: "say", text: process.env.ANSWER ?? "It is Paris." }], { tokenMs: 1 }) }];
`;

test("a scenario runs as it is: programs are started, the assessment is judged, and both kinds of results are written", async (t) => {
  // Inside the project, so that the subject's import resolves.
  const cwd = mkdtempSync(join(tmpdir(), "ias-scenario-"));
  const subject = join(root, ".cache", `scenario-${process.pid}.ts`);
  writeFileSync(subject, SUBJECT);
  t.after(() => {
    rmSync(cwd, { recursive: true, force: true, maxRetries: 3 });
    rmSync(subject, { force: true });
  });
  const [green, pro, con] = [await freePort(), await freePort(), await freePort()];
  const ias = `'${process.execPath}' --conditions=@infinite-agent-streams/source '${root}src/lib/main/ias.ts'`;
  const serve = (port: number, answer: string): string => `env "ANSWER=${answer}" GRPC_PORT=off ${ias} serve '${subject}' --log memory --port ${port}`;
  const toml = (text: string): string => JSON.stringify(text);
  writeFileSync(
    join(cwd, "scenario.toml"),
    `[green_agent]
endpoint = "http://127.0.0.1:${green}"
cmd = ${toml(`'${python}' '${root}test/servers/python/judge_agent_0_3_5.py' --host 127.0.0.1 --port ${green}`)}

[[participants]]
role = "pro"
endpoint = "http://127.0.0.1:${pro}"
cmd = ${toml(serve(pro, "It is Lyon."))}

[[participants]]
role = "con"
agentbeats_id = "agent-7"
endpoint = "http://127.0.0.1:${con}"
cmd = ${toml(serve(con, "It is Paris."))}

[config]
question = "What is the capital of France?"
expected = "Paris"
`,
  );
  const run = startIas(t, ["campaign", "run", "scenario.toml", "--out", "out", "--json"], { cwd });
  assert.equal(await run.ended, 0, run.out + run.err);
  const attempts = readFileSync(join(cwd, "out", "results.jsonl"), "utf8")
    .trim()
    .split("\n");
  assert.equal(attempts.length, 1);
  const { subject: player, outcome } = JSON.parse(attempts[0] ?? "") as {
    readonly subject: string;
    readonly outcome: { readonly verdict: { readonly pass: boolean } };
  };
  assert.deepEqual([player, outcome.verdict.pass], ["pro", false], "the first participant is the subject, and lost");
  assert.deepEqual(JSON.parse(readFileSync(join(cwd, "out", "agentbeats.json"), "utf8")), {
    participants: { con: "agent-7" },
    results: [{ winner: "con", detail: { answers: { pro: "It is Lyon.", con: "It is Paris." } } }],
  });
  for (const port of [green, pro, con]) await assert.rejects(fetch(`http://127.0.0.1:${port}/`), "the programs are stopped");
});

test("a client as AgentBeats' own, on a2a-sdk 0.3.5, follows an assessment of ias green event by event", async (t) => {
  const cwd = mkdtempSync(join(tmpdir(), "ias-scenario-"));
  t.after(() => rmSync(cwd, { recursive: true, force: true, maxRetries: 3 }));
  const { url: subject } = await serving(t, [agentOf((_, signal) => say("It is Paris.", { signal, tokenMs: 1 }))]);
  const green = startIas(t, ["green", "--port", "0", "--json"], { cwd });
  const { url } = JSON.parse((await green.until(/^\{.*\}$/m))[0]) as { readonly url: string };
  const config = { items: ["one", "two", "three"].map((id) => ({ id, prompt: "The capital of France?", expected: "Paris" })), concurrency: 1 };
  const request = JSON.stringify({ participants: { agent: subject }, config });
  const { stdout } = await promisify(execFile)(python, [`${root}test/servers/python/count_client_0_3_5.py`, url, request, "yes"]);
  const events = JSON.parse(stdout) as readonly number[];
  assert.ok(events.length >= 3 + 3 * 2, `the task, a line for each start and end, the result, the end: ${events.length} events`);
});
