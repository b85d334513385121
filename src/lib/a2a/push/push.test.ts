import assert from "node:assert/strict";
import { createHash, createHmac } from "node:crypto";
import test from "node:test";
import { importJWK, jwtVerify } from "jose";
import { createInlineMedia } from "../../../../test/support/inline-media.ts";
import { createMemoryStore } from "../../log/memory.ts";
import type { Store } from "../../log/store.ts";
import type { JsonObject, StreamResponse } from "../../model/a2a.ts";
import { EXTENSION_URI } from "../../model/entry.ts";
import { IasError } from "../../model/errors.ts";
import { keyText, type StreamKey } from "../../model/key.ts";
import { DEFAULT_LIMITS } from "../../model/limits.ts";
import { createGuardedFetch } from "../../net/guarded-fetch.ts";
import { createTaskViews } from "../../task/view.ts";
import { createSecrets } from "../../tenancy/secrets.ts";
import { keyOf, openWriter, rowOf, statusEntry, textEntry, type Writer } from "../../testing/log-support.ts";
import { createManualClock } from "../../../../test/support/manual-clock.ts";
import type { Call, PushConfig } from "../operations.ts";
import { loadSigningKey } from "../signing-key.ts";
import { holdKey } from "./config.ts";
import { createPush, type Push, type PushParts } from "./push.ts";
import { receiver } from "../../testing/webhook-receiver.ts";

const KEY = keyOf("t1");
const secrets = createSecrets(Buffer.alloc(32, 7));

interface Bench {
  readonly store: Store;
  readonly clock: ReturnType<typeof createManualClock>;
  readonly reports: IasError[];
  open(overrides?: Partial<PushParts>): Promise<Push>;
  create(push: Push, config: Partial<PushConfig> & { url: string }, key?: StreamKey, version?: Call["version"]): Promise<PushConfig>;
}

function bench(): Bench {
  const clock = createManualClock();
  const store = createMemoryStore({ now: () => clock.now() });
  const reports: IasError[] = [];
  return {
    store,
    clock,
    reports,
    async open(overrides = {}) {
      const push = createPush({
        log: store.log,
        records: store.records,
        views: createTaskViews(store.log),
        media: createInlineMedia(),
        fetch: createGuardedFetch({ allowLocal: true }),
        issuer: () => "https://agents.example.com",
        limits: DEFAULT_LIMITS,
        secrets,
        clock,
        random: () => 1,
        mayReply: () => false,
        report: (error) => reports.push(error),
        ...overrides,
      });
      await push.start();
      return push;
    },
    create(push, config, key = KEY, version = "1.0") {
      const call = { principal: key, version, extensions: new Set(), signal: new AbortController().signal } as unknown as Call;
      return push.create(call, key, { id: "c1", ...config });
    },
  };
}

/** A task that has been made and nothing more, as the operations leave it. */
async function begin(store: Store, key = KEY): Promise<Writer> {
  const writer = await openWriter(store.log, key);
  const event = JSON.stringify({ task: { id: key.task, contextId: "c", status: { state: "TASK_STATE_SUBMITTED", timestamp: "2026-01-01T00:00:00.000Z" } } });
  await writer.write([{ gen: 1, at: 0, attempt: 0, audience: "public", event }], { index: rowOf(key, { state: "TASK_STATE_SUBMITTED" }) });
  return writer;
}

function complete(writer: Writer): Promise<unknown> {
  return writer.write([statusEntry("TASK_STATE_COMPLETED")], { index: rowOf(writer.key, { state: "TASK_STATE_COMPLETED" }) });
}

function say(event: StreamResponse): string {
  if ("artifactUpdate" in event) return event.artifactUpdate.artifact.parts.map((part) => part.text).join("");
  if ("statusUpdate" in event) return event.statusUpdate.status.state.slice(11);
  return "task" in event ? `task ${event.task.status.state.slice(11)}` : "message";
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let tries = 0; !(await condition()); tries += 1) {
    assert.ok(tries < 5000, "it should have come true");
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

async function refusal(work: Promise<unknown>): Promise<IasError> {
  try {
    await work;
  } catch (error) {
    assert.ok(error instanceof IasError, String(error));
    return error;
  }
  return assert.fail("it was not refused");
}

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
  return push.get(KEY, id);
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
