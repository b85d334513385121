import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import test from "node:test";
import { importJWK, jwtVerify } from "jose";
import type { JsonObject, StreamResponse } from "../../model/a2a.ts";
import { EXTENSION_URI } from "../../model/entry.ts";
import { keyText, type StreamKey } from "../../model/key.ts";
import { DEFAULT_LIMITS } from "../../model/limits.ts";
import { keyOf, rowOf, statusEntry, textEntry } from "../../testing/log-support.ts";
import { loadSigningKey } from "../signing-key.ts";
import { holdKey } from "./config.ts";
import { receiver } from "../../testing/webhook-receiver.ts";
import { KEY, bench, begin, complete, say, until } from "../../../../test/support/push-bench.ts";

test("public entries arrive in order with cursor, token and credentials; statuses at once, appends joined", async () => {
  const { store, clock, open, create } = bench();
  await using hook = await receiver();
  await using push = await open();
  const writer = await begin(store);
  await create(push, { url: hook.url, token: "tok", authentication: { scheme: "Bearer", credentials: "cred" } });
  await hook.received(1);
  await writer.write([statusEntry("TASK_STATE_WORKING")], { index: rowOf(KEY) });
  await hook.received(2);
  for (const text of ["a", "b", "c"]) await writer.write([textEntry(text), statusEntry("TASK_STATE_WORKING", { audience: "internal" })]);
  await clock.sleeping(250);
  clock.advance(250);
  await hook.received(3);
  await writer.write([textEntry("d")]);
  await complete(writer);
  await hook.received(5);
  const events = hook.requests.map(({ body }) => JSON.parse(body) as StreamResponse);
  assert.deepEqual(events.map(say), ["task SUBMITTED", "WORKING", "abc", "d", "COMPLETED"]);
  const cursors = events.map((event) => (Object.values(event)[0] as { metadata: JsonObject }).metadata[EXTENSION_URI] as JsonObject);
  assert.deepEqual(
    cursors.map(({ cursor }) => cursor),
    [1, 2, 7, 9, 10].map((seq) => `${store.log.id}.${seq}`),
  );
  const headers = hook.requests[0]?.headers ?? {};
  assert.equal(headers["content-type"], "application/a2a+json");
  assert.equal(headers["x-a2a-notification-token"], "tok");
  assert.equal(headers["authorization"], "Bearer cred");
  assert.equal(headers["content-length"], String(Buffer.byteLength(hook.requests[0]?.body ?? "")), "no chunked body: simple receivers cannot read one");
  assert.equal(new Set(hook.requests.map((request) => request.headers["webhook-id"])).size, 5);
  await until(() => push.deliveries === 0);
  assert.equal(await store.records.get(holdKey(KEY, "c1")), undefined, "nothing is held any more");
  assert.equal((await push.get(KEY, "c1"))?.url, hook.url, "the configuration stays with the task");
  assert.equal(await store.upkeep.remove(KEY), true);
  assert.equal(await push.get(KEY, "c1"), undefined);
});

test("a receiver that fails, redirects, dies and asks for patience gets the same notification until it takes it", async () => {
  const { store, clock, open, create, reports } = bench();
  await using elsewhere = await receiver();
  await using hook = await receiver();
  hook.answer(500);
  hook.answer(302, { location: elsewhere.url });
  hook.answer("die");
  hook.answer(429, { "retry-after": "90" });
  hook.answer(307, { location: elsewhere.url });
  await using push = await open();
  const writer = await begin(store);
  await create(push, { url: hook.url });
  await complete(writer);
  for (const [failures, wait] of [
    [1, 1000],
    [2, 2000],
    [3, 4000],
    [4, 90_000],
    [5, 16_000],
  ] as const) {
    await clock.sleeping(wait);
    assert.equal(hook.requests.length, failures);
    clock.advance(wait - 1);
    await new Promise((resolve) => setImmediate(resolve));
    assert.equal(hook.requests.length, failures, "not before its time");
    clock.advance(1);
  }
  await hook.received(7);
  assert.equal(new Set(hook.requests.slice(0, 6).map(({ body, headers }) => `${body} ${headers["webhook-id"]}`)).size, 1);
  assert.equal(say(JSON.parse(hook.requests[6]?.body ?? "") as StreamResponse), "COMPLETED");
  assert.deepEqual([elsewhere.requests.length, reports], [0, []]);
});

test("a receiver that does not answer in time has failed", async () => {
  const { store, clock, open, create } = bench();
  await using hook = await receiver();
  const release = hook.hold();
  await using push = await open({ limits: { ...DEFAULT_LIMITS, pushTimeoutMs: 500 } });
  const writer = await begin(store);
  await create(push, { url: hook.url });
  await clock.sleeping(1000);
  release();
  await complete(writer);
  // On a busy machine a later request may be too late as well: then it is tried again too.
  await until(() => {
    clock.advance(1000);
    return push.deliveries === 0;
  });
  const told = hook.requests.map(({ body }) => say(JSON.parse(body) as StreamResponse));
  assert.deepEqual(told.slice(0, 2), ["task SUBMITTED", "task SUBMITTED"]);
  assert.equal(told.at(-1), "COMPLETED");
});

test("while a receiver is slow, entries wait in the log and come joined", async () => {
  const { store, open, create } = bench();
  await using hook = await receiver();
  const release = hook.hold();
  await using push = await open();
  const writer = await begin(store);
  await create(push, { url: hook.url });
  await hook.received(1);
  const texts = Array.from({ length: 2000 }, (_, n) => `t${n} `);
  for (const text of texts) await writer.write([textEntry(text)]);
  await complete(writer);
  release();
  await until(() => push.deliveries === 0);
  const events = hook.requests.map(({ body }) => say(JSON.parse(body) as StreamResponse));
  assert.equal(events.at(-1), "COMPLETED");
  assert.equal(events.slice(1, -1).join(""), texts.join(""));
  assert.ok(hook.requests.length < 20, `${hook.requests.length} requests for 2,002 entries`);
  assert.ok(hook.requests.every(({ body }) => body.length < 70_000));
});

test("retention never passes an undelivered cursor", async () => {
  const { store, open, create } = bench();
  await using hook = await receiver();
  await using push = await open();
  const writer = await begin(store);
  await create(push, { url: hook.url });
  await hook.received(1);
  await until(async () => (await store.records.get(holdKey(KEY, "c1")))?.value === '{"seq":1}');
  const release = hook.hold();
  await writer.write([statusEntry("TASK_STATE_WORKING"), statusEntry("TASK_STATE_WORKING")], { index: rowOf(KEY) });
  await hook.received(2);
  assert.equal((await store.upkeep.truncate(KEY, { floor: 3, snapshot: "{}" })).floor < 3, true);
  await complete(writer);
  assert.equal(await store.upkeep.remove(KEY), false);
  release();
  await until(() => push.deliveries === 0);
  assert.equal(await store.upkeep.remove(KEY), true);
});

test("after a restart delivery goes on from the cursor, failures are counted on, and nothing is lost", async () => {
  const { store, clock, open, create } = bench();
  await using hook = await receiver();
  const writer = await begin(store);
  {
    await using push = await open();
    await create(push, { url: hook.url });
    await hook.received(1);
    await until(async () => (await store.records.get(holdKey(KEY, "c1")))?.value === '{"seq":1}');
    hook.answer(500);
    hook.answer(500);
    await writer.write([statusEntry("TASK_STATE_WORKING")], { index: rowOf(KEY) });
    await clock.sleeping(1000);
    clock.advance(1000);
    await clock.sleeping(2000);
  }
  await writer.write([textEntry("while nobody was there")]);
  assert.equal(JSON.parse((await store.records.get(holdKey(KEY, "c1")))?.value ?? "{}").failures, 2);
  await using push = await open();
  assert.equal(push.deliveries, 1);
  await complete(writer);
  await until(() => push.deliveries === 0);
  assert.deepEqual(
    hook.requests.slice(3).map(({ body }) => say(JSON.parse(body) as StreamResponse)),
    ["WORKING", "while nobody was there", "COMPLETED"],
  );
});

test("who never answers is given up after a thousand failures, said so, and gets the final Task", async () => {
  const { store, clock, open, create, reports } = bench();
  await using hook = await receiver();
  for (let n = 0; n < 5; n += 1) hook.answer(503);
  await using push = await open({ limits: { ...DEFAULT_LIMITS, pushGiveUpFailures: 4 } });
  const writer = await begin(store);
  await create(push, { url: hook.url });
  for (const wait of [1000, 2000, 4000]) {
    await clock.sleeping(wait);
    clock.advance(wait);
  }
  await until(() => reports.length === 1);
  assert.equal(reports[0]?.reason, "PUSH_GIVEN_UP");
  assert.match(reports[0]?.message ?? "", /after 4 failures .*answered 503.*only the final Task/);
  const { givenUp } = (await push.get(KEY, "c1"))?.[EXTENSION_URI] ?? {};
  assert.deepEqual([givenUp?.failures, givenUp?.at], [4, "2026-01-01T00:00:07.000Z"]);
  assert.match(givenUp?.why ?? "", /answered 503/);
  await writer.write([statusEntry("TASK_STATE_WORKING"), textEntry("unheard")], { index: rowOf(KEY) });
  await until(async () => JSON.parse((await store.records.get(holdKey(KEY, "c1")))?.value ?? "{}").final === true);
  assert.equal(
    (await store.upkeep.truncate(KEY, { floor: 2, snapshot: JSON.stringify({ id: "t1", contextId: "c", status: { state: "TASK_STATE_WORKING" } }) })).floor,
    2,
    "it holds no entries any more",
  );
  await complete(writer);
  await clock.sleeping(1000);
  clock.advance(1000);
  await until(() => push.deliveries === 0);
  const last = JSON.parse(hook.requests.at(-1)?.body ?? "{}") as { task: { status: { state: string }; artifacts: unknown } };
  assert.equal(hook.requests.length, 6);
  await create(push, { url: hook.url });
  assert.equal((await push.get(KEY, "c1"))?.[EXTENSION_URI], undefined, "made anew, it is not given up");
  assert.equal(last.task.status.state, "TASK_STATE_COMPLETED");
});

test("a receiver that is gone (410) is given up at once; one that fails for a day, after a day", async () => {
  const { store, clock, open, create, reports } = bench();
  await using hook = await receiver();
  await using push = await open();
  await begin(store);
  hook.answer(410);
  await create(push, { url: hook.url });
  await until(() => reports.length === 1);
  await begin(store, keyOf("t2"));
  hook.answer(500);
  await create(push, { url: hook.url }, keyOf("t2"));
  await clock.sleeping(1000);
  hook.answer(500);
  clock.advance(24 * 3_600_000);
  await until(() => reports.length === 2);
  assert.match(reports[1]?.message ?? "", /after 2 failures/);
});

test("notifications are signed: by HMAC with the caller's secret, or as JWT with the server's key", async () => {
  const { store, open, create } = bench();
  await using hook = await receiver();
  const signingKey = await loadSigningKey(store.records);
  await using push = await open({ signingKey });
  await begin(store);
  const secret = Buffer.from("a shared secret");
  await create(push, { url: hook.url, authentication: { scheme: "HMAC-SHA256", credentials: `whsec_${secret.toString("base64")}` } });
  await hook.received(1);
  const [signed] = hook.requests;
  const content = `${signed?.headers["webhook-id"]}.${signed?.headers["webhook-timestamp"]}.${signed?.body}`;
  assert.equal(signed?.headers["webhook-signature"], `v1,${createHmac("sha256", secret).update(content).digest("base64")}`);
  assert.equal(signed?.headers["authorization"], undefined, "the secret itself is never sent");
  await begin(store, keyOf("t2"));
  await create(push, { url: hook.url, authentication: { scheme: "JWT" } }, keyOf("t2"));
  await hook.received(2);
  const token = hook.requests[1]?.headers["authorization"]?.replace("Bearer ", "") ?? "";
  const { payload } = await jwtVerify(token, await importJWK(signingKey.publicJwk, signingKey.alg), {
    issuer: "https://agents.example.com",
    audience: new URL(hook.url).origin,
    currentDate: new Date(Date.UTC(2026, 0, 1)),
  });
  assert.equal(
    payload["request_body_sha256"],
    createHash("sha256")
      .update(hook.requests[1]?.body ?? "")
      .digest("hex"),
  );
});

test("callers of 0.3 get the Task as it stands at each status, in their form", async () => {
  const { store, open, create } = bench();
  await using hook = await receiver();
  await using push = await open();
  const writer = await begin(store);
  await create(push, { url: hook.url }, KEY, "0.3");
  await hook.received(1);
  await writer.write([statusEntry("TASK_STATE_WORKING")], { index: rowOf(KEY) });
  await hook.received(2);
  await writer.write([textEntry("x"), textEntry("y")]);
  await complete(writer);
  await until(() => push.deliveries === 0);
  const tasks = hook.requests.map(({ body }) => JSON.parse(body) as { kind: string; status: { state: string }; artifacts?: { parts: unknown }[] });
  assert.deepEqual(
    tasks.map(({ kind, status }) => `${kind} ${status.state}`),
    ["task submitted", "task working", "task completed"],
  );
  assert.deepEqual(tasks[2]?.artifacts?.[0]?.parts, [{ kind: "text", text: "xy" }]);
  assert.equal(hook.requests[0]?.headers["content-type"], "application/json");
});

test("10,000 tasks without configurations cost nothing: their streams are not even looked at", async () => {
  const { store, open, create } = bench();
  const touched = new Set<string>();
  const log = new Proxy(store.log, {
    get(target, name, self) {
      const value: unknown = Reflect.get(target, name, self);
      if (typeof value !== "function") return value;
      return (...given: unknown[]) => {
        touched.add(`${String(name)} ${name === "changes" ? "" : keyText(given[0] as StreamKey)}`);
        return Reflect.apply(value, target, given) as unknown;
      };
    },
  });
  await using hook = await receiver();
  await using push = await open({ log });
  const writers = [];
  for (let n = 0; n < 10_000; n += 1) writers.push(await begin(store, keyOf(`busy${n}`)));
  await begin(store);
  await create(push, { url: hook.url });
  for (const writer of writers) await writer.write([textEntry("x")]);
  await hook.received(1);
  assert.deepEqual([...touched].sort(), [`follow ${keyText(KEY)}`, `read ${keyText(KEY)}`]);
});
