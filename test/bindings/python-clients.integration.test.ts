import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { after, before, describe, it } from "node:test";
import { engine } from "../support/engines.ts";
import { type LockStep, startLockStep } from "./lock-step.ts";
import type { Wire } from "./wire.ts";

const TOKENS = 40;

describe("Python a2a-sdk in lock step with the model", () => {
  let lockStep: LockStep;
  before(async () => {
    lockStep = await startLockStep(TOKENS);
  });
  after(() => lockStep[Symbol.asyncDispose]());

  /** Runs a client; each text that it prints is one that it has seen. Gives what it printed else. */
  const run = async (python: string, script: string, binding: string): Promise<Readonly<Record<string, Wire>>> => {
    const client = spawn(python, [fileURLToPath(new URL(`python/${script}`, import.meta.url)), lockStep.server.url, binding], {
      stdio: ["ignore", "pipe", "inherit"],
    });
    const ended = once(client, "exit");
    const texts: string[] = [];
    const rest: Record<string, Wire> = {};
    for await (const line of createInterface({ input: client.stdout })) {
      const [kind, value] = JSON.parse(line) as [string, Wire];
      if (kind !== "text") {
        rest[kind] = value;
        continue;
      }
      texts.push(value);
      lockStep.saw(value);
    }
    assert.deepEqual(await ended, [0, null]);
    assert.deepEqual(texts, lockStep.tokens);
    return rest;
  };

  for (const binding of ["JSONRPC", "HTTP+JSON", "GRPC"]) {
    it(`1.x gets every token over ${binding}`, async () => {
      const { task, error } = await run(engine("python-a2a-1").python, "client_v1.py", binding);
      assert.equal(task.status.state, "TASK_STATE_COMPLETED");
      assert.equal(task.artifacts[0].parts.map((part: Wire) => part.text).join(""), lockStep.tokens.join(""));
      assert.equal(error, "TaskNotFoundError");
    });
  }

  for (const binding of ["JSONRPC", "HTTP+JSON"]) {
    it(`0.3.x gets every token over ${binding}`, async () => {
      const { task, error } = await run(engine("python-a2a-0.3").python, "client_v03.py", binding);
      assert.equal(task.status.state, "completed");
      assert.equal(task.artifacts[0].parts.map((part: Wire) => part.text).join(""), lockStep.tokens.join(""));
      assert.match(error, /^A2AClient(HTTP|JSONRPC)Error$/);
    });
  }
});
