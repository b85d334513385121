import assert from "node:assert/strict";
import test from "node:test";
import { createMemoryStore } from "../log/memory.ts";
import type { Part, Task } from "../model/a2a.ts";
import { IasError } from "../model/errors.ts";
import { DEFAULT_LIMITS } from "../model/limits.ts";
import { createMemoryBlobs } from "./memory.ts";
import { hasBlobs } from "./media.ts";
import { createMedia, type MediaOptions } from "./stored-media.ts";

const KEY = { tenant: "..", user: "u/1", agent: "a", task: "t" };
const ORIGIN = "http://127.0.0.1:4000";

async function setUp(overrides: Partial<MediaOptions> = {}) {
  const store = createMemoryStore();
  const blobs = createMemoryBlobs();
  let clock = 1_000_000;
  let task: Task | undefined;
  const media = await createMedia(blobs, {
    records: store.records,
    limits: DEFAULT_LIMITS,
    origin: () => ORIGIN,
    fetch: async () => assert.fail("nothing is fetched"),
    task: async () => task,
    now: () => clock,
    ...overrides,
  });
  const get = async (url: string, headers: Record<string, string> = {}, method = "GET"): Promise<Response> => {
    const reply = await media.page({ method, url: new URL(url, ORIGIN), header: (name) => headers[name] });
    assert.ok(reply, "the path is the blobs' own");
    const { body } = reply;
    const bytes = typeof body === "string" || body instanceof Uint8Array ? Uint8Array.from(Buffer.from(body)) : await collect(body);
    return new Response(method === "HEAD" || reply.status === 304 ? null : bytes, { status: reply.status, headers: { ...reply.headers } });
  };
  return {
    media,
    blobs,
    get,
    store,
    pass: (ms: number) => void (clock += ms),
    setTask: (value: Task) => void (task = value),
  };
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

function update(parts: readonly Part[]): string {
  return JSON.stringify({ artifactUpdate: { taskId: "t", contextId: "c", artifact: { artifactId: "a", parts } } });
}

function partsOf(json: string): readonly Part[] {
  return (JSON.parse(json) as { artifactUpdate: { artifact: { parts: readonly Part[] } } }).artifactUpdate.artifact.parts;
}

test("small raw content stays, in standard base64; large is stored and comes back raw", async () => {
  const { media } = await setUp();
  const large = Buffer.alloc(20_000, 7).toString("base64");
  const stored = await media.store(KEY, [{ raw: "-_8", mediaType: "image/png" }, { raw: large, filename: "f.bin" }, { text: "t" }]);
  assert.deepEqual(stored[0], { raw: "+/8=", mediaType: "image/png" });
  assert.match(stored[1]?.url ?? "", /^ias-blob:[0-9a-f]{64}\?size=20000$/);
  assert.equal(stored[1]?.raw, undefined);
  assert.deepEqual(stored[2], { text: "t" });
  const json = update(stored);
  assert.ok(hasBlobs(json));
  assert.deepEqual(partsOf(await media.present(KEY, json))[1], { raw: large, mediaType: "application/octet-stream", filename: "f.bin" });
  assert.equal((await media.load(KEY, stored[1] ?? {})).byteLength, 20_000);
});

test("content that would pass the frame limit comes out as a signed URL", async () => {
  const { media, get } = await setUp();
  const bytes = Buffer.alloc(100_000, "abcdefghij");
  const stored = await media.store(
    KEY,
    [0, 1].map((n) => ({ raw: Buffer.concat([bytes, Buffer.from([n])]).toString("base64"), mediaType: "image/png" })),
  );
  const [first, second] = partsOf(await media.present(KEY, update(stored)));
  assert.ok(first?.raw !== undefined, "one has room in a frame of 256 KiB");
  const url = second?.url ?? "";
  assert.ok(url.startsWith(`${ORIGIN}/api/blobs/`));
  const response = await get(url);
  assert.equal(response.status, 200);
  assert.equal(response.headers.get("content-type"), "image/png");
  assert.equal(response.headers.get("x-content-type-options"), "nosniff");
  assert.equal(response.headers.get("content-disposition"), "inline");
  assert.match(response.headers.get("content-security-policy") ?? "", /^sandbox/);
  assert.equal((await response.arrayBuffer()).byteLength, 100_001);
  // The same URL sent back to us is read without the network.
  assert.equal((await media.load(KEY, { url })).byteLength, 100_001);
  assert.equal(partsOf(await media.present(KEY, update(stored)))[1]?.url, url, "readers of the same moment get the same URL");
});

test("ranges, HEAD, conditions and other methods", async () => {
  const { media, get } = await setUp();
  const stored = await media.store(KEY, [
    { raw: Buffer.from("0123456789".repeat(30_000)).toString("base64"), filename: 'ev"il\n/../näme.svg', mediaType: "image/svg+xml" },
  ]);
  const url = partsOf(await media.present(KEY, update(stored)))[0]?.url ?? "";
  const part = await get(url, { range: "bytes=5-9" });
  assert.deepEqual([part.status, part.headers.get("content-range"), await part.text()], [206, "bytes 5-9/300000", "56789"]);
  assert.equal(await (await get(url, { range: "bytes=-3" })).text(), "789");
  assert.equal(await (await get(url, { range: "bytes=299998-" })).text(), "89");
  assert.equal((await get(url, { range: "bytes=300000-" })).status, 416);
  assert.equal((await get(url, { range: "bytes=9-5" })).status, 200);
  assert.equal((await get(url, { range: "bytes=0-1,3-4" })).status, 200);
  const etag = part.headers.get("etag") ?? "";
  assert.equal((await get(url, { "if-none-match": etag })).status, 304);
  assert.equal((await get(url, { range: "bytes=0-1", "if-range": '"other"' })).status, 200);
  const head = await get(url, {}, "HEAD");
  assert.deepEqual([head.status, head.headers.get("content-length"), head.body], [200, "300000", null]);
  assert.equal((await get(url, {}, "POST")).status, 405);
  assert.equal(part.headers.get("content-disposition"), `attachment; filename="n_me.svg"; filename*=UTF-8''n%C3%A4me.svg`);
});

test("a path of others is left to them", async () => {
  const { media } = await setUp();
  assert.equal(await media.page({ method: "GET", url: new URL("http://x/a2a/blobs"), header: () => undefined }), undefined);
});

test("a URL that was changed, expired or made up is refused", async () => {
  const { media, get, pass, store } = await setUp();
  const stored = await media.store(KEY, [{ raw: Buffer.alloc(300_000).toString("base64") }]);
  const url = partsOf(await media.present(KEY, update(stored)))[0]?.url ?? "";
  for (const changed of [
    url.replace("size=300000", "size=3000"),
    url.replace(/of=[^&]*/, "of=x%2Fy%2Fz"),
    url.replace(/exp=\d/, "exp=9"),
    url.replace(/sig=[^&]*/, "sig="),
    url.replace("application%2Foctet-stream", "text%2Fhtml"),
    url.replace(/&sig=[^&]*/, ""),
  ]) {
    assert.equal((await refusal(get(changed))).reason, "URL_SIGNATURE", changed);
  }
  for (const other of ["/api/blobs/", "/api/blobs/x", "/api/blobs/content?of=a", "/api/blobs/%00"]) assert.equal((await refusal(get(other))).code, "not-found");
  const again = await createMedia(createMemoryBlobs(), { ...(await parts()), records: store.records });
  assert.equal(
    (await refusal(again.page({ method: "GET", url: new URL(url), header: () => undefined }))).code,
    "not-found",
    "the key is kept: only the bytes are missing",
  );
  pass(49 * 3_600_000);
  assert.equal((await refusal(get(url))).reason, "URL_EXPIRED");
});

async function parts(): Promise<MediaOptions> {
  return {
    records: createMemoryStore().records,
    limits: DEFAULT_LIMITS,
    origin: () => ORIGIN,
    fetch: async () => new Response(),
    task: async () => undefined,
    now: () => 1_000_000,
  };
}

test("a caller's own reference is refused, an agent may hand one on within its tasks", async () => {
  const { media } = await setUp();
  const [part] = await media.store(KEY, [{ raw: Buffer.alloc(20_000).toString("base64") }]);
  assert.ok(part);
  for (const url of [part.url ?? "", "ias-blob:x", " IAS-BLOB:y"]) {
    const error = await refusal(media.store(KEY, [{ text: "ok" }, { url }]));
    assert.deepEqual([error.code, error.fields[0]?.field], ["invalid-params", "message.parts.1.url"]);
  }
  assert.deepEqual(await media.store({ ...KEY, task: "other" }, [part], "agent"), [part]);
  assert.equal((await refusal(media.store({ ...KEY, user: "foreign" }, [part], "agent"))).code, "invalid-params");
});

test("data and text that look like references are left alone", async () => {
  const { media } = await setUp();
  const json = update([{ data: { url: `ias-blob:${"0".repeat(64)}?size=1` } }, { text: '"ias-blob:' }]);
  assert.equal(await media.present(KEY, json), json);
});

test("files are fetched, within the limit and only if the server says 2xx", async () => {
  const answers: Record<string, Response> = {
    "https://f/ok": new Response("bytes"),
    "https://f/no": new Response("", { status: 404 }),
    "https://f/big": new Response("x".repeat(200)),
  };
  const { media } = await setUp({ fetch: async (url) => answers[url] ?? assert.fail(url), limits: { ...DEFAULT_LIMITS, maxLoadBytes: 100 } });
  assert.equal(Buffer.from(await media.load(KEY, { url: "https://f/ok" })).toString(), "bytes");
  assert.equal((await refusal(media.load(KEY, { url: "https://f/no" }))).code, "remote-failed");
  assert.equal((await refusal(media.load(KEY, { url: "https://f/big" }))).code, "too-large");
  assert.equal((await refusal(media.load(KEY, { raw: "A".repeat(400) }))).code, "too-large");
  assert.equal((await refusal(media.load(KEY, { url: `ias-blob:${"0".repeat(64)}?size=5` }))).code, "not-found");
});

test("a task over the limit gives URLs of its contents, as they stood", async () => {
  const { media, get, setTask } = await setUp();
  const text = "tökens ".repeat(1000);
  const task: Task = { id: "t", contextId: "c", status: { state: "TASK_STATE_WORKING" }, artifacts: [{ artifactId: "a b", parts: [{ text }] }] };
  const fitted = await media.fitTask(KEY, task, 4000);
  const url = fitted.artifacts?.[0]?.parts[0]?.url ?? "";
  setTask({ ...task, artifacts: [{ artifactId: "a b", parts: [{ text: `${text} and more` }] }] });
  const response = await get(url);
  assert.equal(response.headers.get("content-type"), "text/plain; charset=utf-8");
  assert.equal(await response.text(), text);
  setTask({ ...task, artifacts: [{ artifactId: "a b", parts: [{ text: "replaced" }] }] });
  assert.equal((await refusal(get(url))).reason, "BLOB_GONE");
});

async function collect(body: AsyncIterable<Uint8Array>): Promise<Uint8Array<ArrayBuffer>> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Uint8Array.from(Buffer.concat(chunks));
}
