import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { test } from "node:test";
import { fileURLToPath } from "node:url";
import { engine } from "../support/engines.ts";
import { promptFor, startFaultyModel } from "../support/faulty-model.ts";
import { startPurple } from "../support/purple.ts";

// `ias purple` read by the clients that AgentBeats' evaluators are made of: the official Python SDK, of both protocol versions. The model makes token n + 1 only
// after the client has printed token n, so that whoever collects anywhere on the way deadlocks.

const TOKENS = 40;
const clients = [
  ["python-a2a-0.3", "stream_client_0_3.py"],
  ["python-a2a-1", "stream_client_1.py"],
] as const;

for (const [name, script] of clients) {
  test(`${name} gets every chunk of the model server from ias purple, each as one event, in lock step`, async (t) => {
    await using model = await startFaultyModel();
    const url = await startPurple(t, model);
    const path = fileURLToPath(new URL(`../servers/python/${script}`, import.meta.url));
    const client = spawn(engine(name).python, [path, url, "JSONRPC", promptFor({ step: name, tokens: TOKENS })], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(client, "exit");
    const texts: string[] = [];
    model.step(name);
    for await (const text of createInterface({ input: client.stdout })) {
      const said = JSON.parse(text) as string;
      if (said === "") continue;
      texts.push(said);
      model.step(name);
    }
    assert.deepEqual(await ended, [0, null]);
    assert.equal(texts.length, TOKENS);
    assert.deepEqual(texts, model.requests[0]?.reply?.texts);
  });
}
