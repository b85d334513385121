import assert from "node:assert/strict";
import { once } from "node:events";
import { connect } from "node:net";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { agentOf, rpcClient, serving, textOf } from "../../../test/support/serving.ts";
import type { Turn } from "../engine/engine.ts";
import { createMemoryStore } from "../log/memory.ts";
import { createMemoryBlobs } from "../media/memory.ts";
import { createFsBlobs } from "../media/fs.ts";
import { createWaitingUploads } from "../media/waiting-uploads.ts";
import type { UploadedFile } from "../model/api.ts";
import { DEFAULT_LIMITS, DEFAULT_UPLOAD_TYPES, type Limits } from "../model/limits.ts";
import { createApiRoute } from "./endpoint.ts";
import { createUploadEndpoints, type UploadsOptions } from "./uploads.ts";

const PNG = Buffer.concat([Buffer.from("89504e470d0a1a0a", "hex"), Buffer.alloc(50_000, 7)]);

/** A server with uploads and an agent that says what it got. */
async function setUp(t: TestContext, options: Partial<UploadsOptions> = {}, limits: Partial<Limits> = {}) {
  const store = createMemoryStore();
  const blobs = options.blobs ?? createMemoryBlobs();
  const all = { ...DEFAULT_LIMITS, ...limits };
  const now = options.now ?? Date.now;
  const endpoints = createUploadEndpoints({
    blobs,
    waiting: createWaitingUploads({ records: store.records, limits: all, now }),
    agents: () => ["agent"],
    limits: all,
    types: DEFAULT_UPLOAD_TYPES,
    now,
    ...options,
  });
  const uploads = createApiRoute(endpoints, { limits: DEFAULT_LIMITS, report: (error) => assert.fail(error) });
  const turns: Turn[] = [];
  const agent = agentOf(
    async function* (turn) {
      turns.push(turn);
      for (const { parts } of turn.input)
        for (const part of parts) {
          if (part.text !== undefined) continue;
          yield { kind: "text", text: `${part.filename} ${part.mediaType} ${(await turn.load(part)).byteLength}` };
        }
    },
    { inputModes: ["*/*"] },
  );
  const server = await serving(t, [agent], { store, blobs, routes: [uploads] });
  const post = (form: FormData): Promise<Response> => fetch(`${server.url}/api/uploads`, { method: "POST", body: form });
  const upload = async (...files: readonly File[]): Promise<readonly UploadedFile[]> => {
    const form = new FormData();
    for (const file of files) form.append("file", file);
    const response = await post(form);
    if (response.status !== 201) assert.fail(`${response.status} ${await response.text()}`);
    return ((await response.json()) as { files: readonly UploadedFile[] }).files;
  };
  const refused = async (...files: readonly File[]): Promise<string> => {
    const form = new FormData();
    for (const file of files) form.append("file", file);
    const response = await post(form);
    return `${response.status} ${await response.text()}`;
  };
  return { server, upload, refused, post, turns, client: rpcClient(`${server.url}/a2a/agent`), blobs };
}

const file = (content: string | Buffer, name: string, type?: string): File =>
  new File([typeof content === "string" ? content : Uint8Array.from(content)], name, type === undefined ? {} : { type });

test("files are kept by their hash and served back, with ranges, to who uploaded them", async (t) => {
  const { server, upload } = await setUp(t);
  const [image, text] = await upload(file(PNG, "pic ture.png", "image/png"), file("a,b\n", "t.csv", "text/csv"));
  assert.deepEqual([image?.size, image?.mediaType, image?.filename], [PNG.length, "image/png", "pic ture.png"]);
  assert.equal(image?.url, `/api/files/${image?.sha256}/pic%20ture.png`);
  assert.equal(text?.mediaType, "text/csv");
  const whole = await fetch(server.url + image?.url);
  assert.deepEqual(Buffer.from(await whole.arrayBuffer()), PNG);
  const headers = Object.fromEntries(whole.headers);
  assert.equal(headers["content-type"], "image/png");
  assert.equal(headers["x-content-type-options"], "nosniff");
  assert.match(headers["content-disposition"] ?? "", /^inline; filename="pic ture.png"/);
  assert.match(headers["content-security-policy"] ?? "", /^sandbox; default-src 'none'$/);
  assert.equal(headers["cross-origin-resource-policy"], "same-origin");
  assert.equal(headers["etag"], `"${image?.sha256}"`);
  const part = await fetch(server.url + image?.url, { headers: { range: "bytes=0-3" } });
  assert.deepEqual(
    [part.status, part.headers.get("content-range"), Buffer.from(await part.arrayBuffer()).toString("hex")],
    [206, `bytes 0-3/${PNG.length}`, "89504e47"],
  );
  assert.equal((await fetch(server.url + image?.url, { headers: { "if-none-match": headers["etag"] ?? "" } })).status, 304);
  assert.equal((await fetch(server.url + image?.url, { headers: { range: `bytes=${PNG.length}-` } })).status, 416);
  const head = await fetch(server.url + image?.url, { method: "HEAD" });
  assert.deepEqual([head.status, head.headers.get("content-length")], [200, String(PNG.length)]);
});

test("what could run in a page is served for saving only", async (t) => {
  const { server, upload } = await setUp(t);
  for (const [content, name, type] of [
    ["<script>alert(1)</script>", "x.html", "text/html"],
    ['<svg xmlns="http://www.w3.org/2000/svg" onload="alert(1)"/>', "x.svg", "image/svg+xml"],
    ["<?xml version='1.0'?><a/>", "x.xml", "application/xml"],
    ["alert(1)", "x.js", "text/javascript"],
  ] as const) {
    const [kept] = await upload(file(content, name, type));
    const response = await fetch(server.url + kept?.url);
    assert.match(response.headers.get("content-disposition") ?? "", /^attachment/, name);
    assert.match(response.headers.get("content-security-policy") ?? "", /^sandbox/);
    // Under another name it is what its content is, and no page.
    const renamed = await fetch(`${server.url}/api/files/${kept?.sha256}/x.png`);
    assert.equal(renamed.headers.get("content-type"), "text/plain; charset=utf-8");
  }
});

test("a file goes to the agent as a file part, and from there out again, small ones raw and large ones as a URL", async (t) => {
  const { upload, client, turns } = await setUp(t);
  const large = Buffer.concat([PNG, Buffer.alloc(400_000, 1)]);
  const kept = await upload(file(PNG, "small.png", "image/png"), file(large, "large.png", "image/png"));
  const parts = kept.map(({ url, mediaType, filename }) => ({ url, mediaType, filename }));
  const { task } = await client.must<{ task: Parameters<typeof textOf>[0] & { history: readonly { parts: readonly { raw?: string; url?: string }[] }[] } }>(
    "SendMessage",
    {
      message: { messageId: "m", role: "ROLE_USER", parts: [{ text: "look" }, ...parts] },
    },
  );
  assert.equal(textOf(task), `small.png image/png ${PNG.length}large.png image/png ${large.length}`);
  assert.match(turns[0]?.input[0]?.parts[1]?.url ?? "", /^ias-blob:/);
  const [, small, big] = task.history[0]?.parts ?? [];
  assert.equal(small?.raw, PNG.toString("base64"));
  assert.deepEqual(Buffer.from(await (await fetch(big?.url ?? "")).arrayBuffer()), large);
  // The address with the server's own name before it is the same file.
  const again = await client.send("again", { messageId: "m2", parts: [{ url: kept[0]?.url ?? "" }] });
  assert.equal(textOf(again.task), `small.png image/png ${PNG.length}`);
});

test("a part that names no upload of the caller is refused", async (t) => {
  const { client } = await setUp(t);
  const { error } = await client.call("SendMessage", { message: { messageId: "m", role: "ROLE_USER", parts: [{ url: `/api/files/${"0".repeat(64)}/x` }] } });
  assert.match(error?.message ?? "", /did not upload/);
});

test("names are cleaned, and those that lead upwards are refused", async (t) => {
  const { server, upload, refused } = await setUp(t);
  for (const [given, wanted] of [
    ["C:\\fakepath\\a.txt", "a.txt"],
    ["/etc/passwd", "passwd"],
    ['a"b<c>.txt', "a_b_c_.txt"],
    ["\u202etxt.exe", "txt.exe"],
    ["con.txt", "_con.txt"],
  ] as const) {
    const [kept] = await upload(file("x", given, "text/plain"));
    assert.equal(kept?.filename, wanted);
    assert.equal((await fetch(server.url + kept?.url)).status, 200);
  }
  for (const bad of ["../../etc/passwd", "..\\..\\x", "a/../b", "%2e%2e%2fx"])
    assert.match(await refused(file("x", bad, "text/plain")), /^400 .*FILENAME/s, bad);
  const [kept] = await upload(file("x", "a.txt", "text/plain"));
  for (const bad of [
    `/api/files/${kept?.sha256}/..%2fa.txt`,
    `/api/files/..%2f..%2fetc/passwd`,
    `/api/files/${kept?.sha256}`,
    `/api/files/${kept?.sha256}/`,
    `/api/files/${"A".repeat(64)}/x`,
  ])
    assert.equal((await fetch(server.url + bad)).status, 404, bad);
});

test("types that are not what they say, or not taken, are refused", async (t) => {
  const { refused } = await setUp(t);
  assert.match(await refused(file("<script>", "a.png", "image/png")), /^400 .*TYPE_MISMATCH/s);
  assert.match(await refused(file("MZ\x90\0", "a.txt", "text/plain")), /TYPE_MISMATCH/);
  assert.match(await refused(file(Buffer.from("7f454c4602", "hex"), "a")), /TYPE_NOT_ALLOWED/);
  assert.match(await refused(file(Buffer.from("000102", "hex"), "a")), /TYPE_NOT_ALLOWED/);
});

test("sizes, counts and what waits are limited", async (t) => {
  const { upload, refused } = await setUp(t, {}, { maxUploadBytes: 100_000, maxUploadFiles: 2, maxWaitingUploadBytes: 150_000 });
  const text = (length: number): File => file("x".repeat(length), "a.txt", "text/plain");
  assert.match(await refused(text(100_001)), /UPLOAD_TOO_LARGE/);
  assert.match(await refused(text(1), text(1), text(1)), /MULTIPART_PARTS/);
  assert.equal((await upload(text(100_000))).length, 1);
  assert.match(await refused(text(60_000)), /UPLOADS_FULL/);
  assert.equal((await upload(text(20_000))).length, 1);
});

test("uploads side by side do not pass together what may wait", async (t) => {
  const { refused } = await setUp(t, {}, { maxWaitingUploadBytes: 1_000_000 });
  const answers = await Promise.all(Array.from({ length: 20 }, (_, n) => refused(file(`${n}`.padEnd(300_000, "x"), "a.txt", "text/plain"))));
  const taken = answers.filter((answer) => answer.startsWith("201")).length;
  assert.ok(taken <= 3, `${taken} files of 300 kB were taken`);
  assert.ok(
    answers.every((answer) => /^201|UPLOADS_FULL/.test(answer)),
    answers.join(),
  );
});

test("a file that was sent waits no more, one that is uploaded twice waits once, and the smallest counts too", async (t) => {
  const { upload, refused, client } = await setUp(t, {}, { maxWaitingUploadBytes: 130_000 });
  const text = (name: string): File => file(name.padEnd(60_000, "x"), "a.txt", "text/plain");
  const [first] = await upload(text("first"));
  await upload(text("first"));
  await upload(text("second"));
  assert.match(await refused(text("third")), /UPLOADS_FULL/);
  await client.send("m", { messageId: "m1", parts: [{ url: first?.url ?? "" }] });
  await upload(text("third"));
  // Sent again: it counted once.
  await client.send("m", { messageId: "m2", parts: [{ url: first?.url ?? "" }] });
  assert.match(await refused(text("fourth")), /UPLOADS_FULL/);
  await upload(file("1", "small.txt", "text/plain"));
  assert.match(await refused(file("2", "small.txt", "text/plain")), /UPLOADS_FULL/);
});

test("an upload that no message takes is removed, one that was taken stays with its task", async (t) => {
  let time = Date.now();
  const { server, upload, client } = await setUp(t, { now: () => time }, { uploadTtlMs: 1000 });
  const [left] = await upload(file("left", "a.txt", "text/plain"));
  const [taken] = await upload(file("taken", "b.txt", "text/plain"));
  await client.send("m", { parts: [{ url: taken?.url ?? "" }] });
  time += 999;
  await upload(file("other", "c.txt", "text/plain"));
  assert.equal((await fetch(server.url + left?.url)).status, 200);
  time += 4_000_000;
  await upload(file("other", "c.txt", "text/plain"));
  assert.equal((await fetch(server.url + left?.url)).status, 404);
  assert.equal(await (await fetch(server.url + taken?.url)).text(), "taken");
});

test("what is no upload says what one is", async (t) => {
  const { server, post } = await setUp(t);
  const form = new FormData();
  form.append("text", "plain field");
  assert.match(await (await post(form)).text(), /NOT_A_FILE/);
  assert.match(await (await post(new FormData())).text(), /NOT_A_FILE|MULTIPART_INVALID/);
  const json = await fetch(`${server.url}/api/uploads`, { method: "POST", headers: { "content-type": "application/json" }, body: "{}" });
  assert.match(await json.text(), /NOT_MULTIPART/);
  assert.equal((await fetch(`${server.url}/api/uploads`)).status, 405);
});

test("an upload that is cut off leaves nothing behind, wherever it is cut", async (t) => {
  const folder = mkdtempSync(join(tmpdir(), "ias-uploads-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  const { server } = await setUp(t, { blobs: await createFsBlobs({ folder }) });
  const head = '--b\r\nContent-Disposition: form-data; name="f"; filename="f.txt"\r\n\r\n';
  const body = Buffer.from(`${head}${"x".repeat(20_000)}\r\n--b--`);
  for (const at of [0, 10, head.length, head.length + 10, head.length + 9000, body.length - 1]) {
    const socket = connect(server.port, "127.0.0.1");
    socket.write(`POST /api/uploads HTTP/1.1\r\nhost: 127.0.0.1\r\ncontent-type: multipart/form-data; boundary=b\r\ncontent-length: ${body.length}\r\n\r\n`);
    socket.write(body.subarray(0, at));
    await new Promise((resolve) => setImmediate(resolve));
    socket.destroy();
    await once(socket, "close");
  }
  // The body that is told to be shorter than it is.
  const short = await fetch(`${server.url}/api/uploads`, {
    method: "POST",
    headers: { "content-type": "multipart/form-data; boundary=b" },
    body: body.subarray(0, 15_000),
  });
  assert.match(await short.text(), /MULTIPART_INVALID/);
  const whole = await fetch(`${server.url}/api/uploads`, { method: "POST", headers: { "content-type": "multipart/form-data; boundary=b" }, body });
  assert.equal(whole.status, 201);
  const files = readdirSync(folder, { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile() && entry.name.length >= 60);
  const names = new Set(files.map(({ name }) => name));
  assert.ok(names.size <= 1, `only the whole one is there: ${[...names].join()}`);
});

test("refused bodies are answered although they are still being sent", async (t) => {
  const { server } = await setUp(t, {}, { maxUploadBytes: 1000 });
  const form = new FormData();
  form.append("f", file("x".repeat(24_000_000), "a.txt", "text/plain"));
  const response = await fetch(`${server.url}/api/uploads`, { method: "POST", body: form });
  assert.match(`${response.status} ${await response.text()}`, /UPLOAD_TOO_LARGE/);
});

test("a server takes the types that it was set up with, and says which", async (t) => {
  const server = await serving(t, [agentOf(async function* () {})], { uploadTypes: ["image/*"] });
  const post = async (given: File): Promise<string> => {
    const form = new FormData();
    form.append("file", given);
    const response = await fetch(`${server.url}/api/uploads`, { method: "POST", body: form });
    return `${response.status} ${await response.text()}`;
  };
  assert.deepEqual(((await (await fetch(`${server.url}/api/session`)).json()) as { uploadTypes: unknown }).uploadTypes, ["image/*"]);
  assert.match(await post(file(PNG, "a.png", "image/png")), /^201 /);
  assert.match(await post(file("hello", "a.txt", "text/plain")), /^400 .*text\/plain are not taken \(a\.txt\); taken are image\/\*\..*TYPE_NOT_ALLOWED/);
});
