import assert from "node:assert/strict";
import test from "node:test";
import type { Store } from "../../log/store.ts";
import type { StreamResponse } from "../../model/a2a.ts";
import { DEFAULT_LIMITS } from "../../model/limits.ts";
import { createGuardedFetch } from "../../net/guarded-fetch.ts";
import { createSecrets } from "../../tenancy/secrets.ts";
import { keyOf, rowOf, statusEntry } from "../../testing/log-support.ts";
import { holdKey } from "./config.ts";
import { receiver } from "../../testing/webhook-receiver.ts";
import { KEY, bench, begin, complete, say, until, refusal } from "../../../../test/support/push-bench.ts";

test("configurations are kept with their task, replaced by id, listed in pages, limited, and removed twice without complaint", async () => {
  const { store, open, create } = bench();
  await using push = await open({ limits: { ...DEFAULT_LIMITS, maxPushConfigs: 3 } });
  await begin(store);
  await begin(store, keyOf("t2"));
  const made = await create(push, { url: "https://example.com/a", id: "", token: "tok", authentication: { scheme: "Bearer", credentials: "cred" } });
  assert.match(made.id, /^[0-9a-f-]{36}$/);
  assert.deepEqual(await push.get(KEY, made.id), made);
  await create(push, { url: "https://example.com/b", id: "b/%2F" });
  await create(push, { url: "https://example.com/b2", id: "b/%2F" });
  await create(push, { url: "https://example.com/z", id: "zz" });
  await create(push, { url: "https://example.com/other", id: "zz" }, keyOf("t2"));
  assert.equal((await refusal(create(push, { url: "https://example.com/c", id: "c" }))).code, "limit-reached");
  const first = await push.list(KEY, { limit: 2 });
  const rest = await push.list(KEY, { limit: 2, after: first.at(-1)?.id ?? "" });
  assert.deepEqual([...first, ...rest].map(({ url }) => url).sort(), ["https://example.com/a", "https://example.com/b2", "https://example.com/z"]);
  await push.delete(KEY, "zz");
  await push.delete(KEY, "zz");
  assert.equal(await push.get(KEY, "zz"), undefined);
  assert.equal((await push.get(keyOf("t2"), "zz"))?.url, "https://example.com/other");
  assert.equal((await refusal(create(push, { url: "https://example.com" }, keyOf("nobody")))).code, "task-not-found");
  const kept = await store.records.list("", { limit: 1000 });
  assert.ok(kept.length > 3 && !/"tok"|"cred"/.test(kept.map((record) => record.value).join()), "secrets are sealed");
  await assert.rejects(createPushWithOtherKey(store, made.id), /another one/);
});

async function createPushWithOtherKey(store: Store, id: string): Promise<unknown> {
  const { open } = bench();
  await using push = await open({ log: store.log, records: store.records, secrets: createSecrets(Buffer.alloc(32, 8)) });
  return await push.get(KEY, id);
}

test("what could never be delivered is refused; a name without an address is not", async () => {
  const { store, open, create } = bench();
  const fetch = createGuardedFetch({ resolve: async (name) => (name === "inside.example" ? ["10.0.0.1"] : Promise.reject(new Error("no such name"))) });
  await using push = await open({ fetch });
  await begin(store);
  for (const [config, code, field] of [
    [{ url: "" }, "invalid-params", "url"],
    [{ url: "ftp://example.com" }, "invalid-params", undefined],
    [{ url: "http://127.0.0.1/hook" }, "forbidden", undefined],
    [{ url: "http://[::ffff:169.254.169.254]/" }, "forbidden", undefined],
    [{ url: "https://inside.example" }, "forbidden", undefined],
    [{ url: "https://example.com", token: "a\r\nx: y" }, "invalid-params", "token"],
    [{ url: "https://example.com", authentication: { scheme: "Bea rer" } }, "invalid-params", "authentication.scheme"],
    [{ url: "https://example.com", authentication: { scheme: "Bearer", credentials: "ü" } }, "invalid-params", "authentication.credentials"],
    [{ url: "https://example.com", authentication: { scheme: "hmac-sha256" } }, "invalid-params", "authentication.credentials"],
    [{ url: "https://example.com", authentication: { scheme: "JWT" } }, "invalid-params", "authentication.scheme"],
    [{ url: "https://example.com", id: "x".repeat(300) }, "invalid-params", "id"],
  ] as const) {
    const error = await refusal(create(push, config));
    assert.deepEqual([error.code, field === undefined ? undefined : error.fields[0]?.field], [code, field], JSON.stringify(config));
  }
  assert.equal((await create(push, { url: "https://example.com/tck-push-webhook" })).id, "c1");
});

test("a configuration on a task that goes on begins now; on one that is over nothing is sent; replaced, it goes on with the new address", async () => {
  const { store, clock, open, create } = bench();
  await using old = await receiver();
  await using hook = await receiver();
  await using push = await open();
  const writer = await begin(store);
  await writer.write([statusEntry("TASK_STATE_WORKING")], { index: rowOf(KEY) });
  old.answer(500);
  await create(push, { url: old.url });
  await writer.write([statusEntry("TASK_STATE_INPUT_REQUIRED")], { index: rowOf(KEY, { state: "TASK_STATE_INPUT_REQUIRED" }) });
  await clock.sleeping(1000);
  await create(push, { url: hook.url });
  await complete(writer);
  await until(() => push.deliveries === 0);
  assert.deepEqual(
    hook.requests.map(({ body }) => say(JSON.parse(body) as StreamResponse)),
    ["INPUT_REQUIRED", "COMPLETED"],
  );
  assert.equal(old.requests.length, 1);
  await create(push, { url: hook.url, id: "late" });
  assert.equal(push.deliveries, 0);
});

test("a deleted configuration gets nothing more", async () => {
  const { store, clock, open, create } = bench();
  await using hook = await receiver();
  hook.answer(500);
  await using push = await open();
  const writer = await begin(store);
  await create(push, { url: hook.url });
  await clock.sleeping(1000);
  await push.delete(KEY, "c1");
  clock.advance(10_000);
  await complete(writer);
  assert.equal(push.deliveries, 0);
  assert.equal(hook.requests.length, 1);
  assert.equal(await store.records.get(holdKey(KEY, "c1")), undefined);
});
