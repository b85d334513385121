import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { fileURLToPath } from "node:url";
import type { StreamResponse } from "../../model/a2a.ts";
import { receiver } from "../../testing/webhook-receiver.ts";

const SENDER = fileURLToPath(new URL("../../../../test/servers/push-sender.ts", import.meta.url));
const CHUNKS = 4000;
const KILLS = 6;

test("a sender that is killed again and again tells a receiver that fails now and then everything, in order", { timeout: 120_000 }, async (t) => {
  const seed = Number(process.env["SEED"] ?? Date.now() % 100_000);
  t.diagnostic(`SEED=${seed}`);
  let state = seed;
  const random = (below: number): number => {
    state = (state * 1_103_515_245 + 12_345) % 2 ** 31;
    return Math.floor((state / 2 ** 31) * below);
  };
  const folder = await mkdtemp(join(tmpdir(), "ias-push-"));
  t.after(() => rm(folder, { recursive: true, force: true }));
  await using hook = await receiver();

  for (let kills = 0; kills <= KILLS; kills += 1) {
    const child = spawn(process.execPath, [SENDER, folder, hook.url, String(CHUNKS)], { stdio: ["ignore", "pipe", "inherit"] });
    const ended = once(child, "exit");
    if (kills === KILLS) {
      assert.deepEqual(await ended, [0, null]);
      break;
    }
    await once(child.stdout, "data");
    if (random(2) === 0) hook.answer(random(2) === 0 ? 503 : "die");
    await Promise.race([hook.received(hook.requests.length + 1 + random(15)), ended]);
    child.kill("SIGKILL");
    await ended;
  }

  const events = hook.requests.map(({ body }) => JSON.parse(body) as StreamResponse);
  const numbers = events
    .flatMap((event) => ("artifactUpdate" in event ? event.artifactUpdate.artifact.parts : []))
    .flatMap(({ text = "" }) =>
      text
        .trim()
        .split(/token | +token /)
        .filter(Boolean)
        .map(Number),
    );
  // At least once: what was told again is dropped; the rest is every chunk once, in order.
  let told = 0;
  for (const number of numbers) {
    assert.ok(number <= told + 1, `after ${told} came ${number}`);
    told = Math.max(told, number);
  }
  assert.equal(told, CHUNKS);
  const last = events.at(-1);
  assert.ok(last !== undefined && "statusUpdate" in last && last.statusUpdate.status.state === "TASK_STATE_COMPLETED");
  assert.ok(numbers.length < CHUNKS * 2, `${numbers.length} chunks told for ${CHUNKS}`);
});
