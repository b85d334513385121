import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before, type TestContext } from "node:test";
import { type Browser, type BrowserContext, chromium, type Page } from "playwright-core";
import type { Client, stream, StreamEntry } from "../../src/client.ts";
import type { Server, ServerOptions } from "../../src/lib/main/server.ts";
import { makeApiKey } from "../../src/lib/tenancy/api-keys.ts";
import { bundleClient } from "../support/bundle-client.ts";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { engine } from "../support/engines.ts";
import { serving } from "../support/serving.ts";
import { countingAgent } from "../support/counting-agent.ts";

// The browser client, and a browser's own EventSource, in a real browser.

const { browser: executablePath } = engine("chromium");
/** Not hung. */
const TIMEOUT = 30_000;

let browser: Browser;
let script: string;
let small: string;
before(async () => {
  small = await bundleClient('import { stream } from "infinite-agent-streams/client"; globalThis.streamAlone = stream;');
  script = await bundleClient('import { createClient } from "infinite-agent-streams/client"; globalThis.createClient = createClient;');
  const args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  browser = await chromium.launch({ executablePath, args });
});
after(() => browser.close());

/** What the scripts of the pages below find. */
declare global {
  var createClient: (options?: object) => Client;
  var streamAlone: typeof stream;
  var got: number[];
}

/** A server with a page that has the client, whose agent says so many tokens and, after `goOn`, as many again. */
async function setUp(t: TestContext, options: Partial<ServerOptions> = {}) {
  const { agent, goOn } = countingAgent();
  const files: Readonly<Record<string, readonly [string, string]>> = {
    "/page": ["text/html", '<!doctype html><title>Client</title><link rel="icon" href="data:,"><script type="module" src="/page.js"></script>'],
    "/page.js": ["text/javascript", script],
    "/small": ["text/html", '<!doctype html><title>Stream</title><link rel="icon" href="data:,"><script type="module" src="/small.js"></script>'],
    "/small.js": ["text/javascript", small],
  };
  const server = await serving(t, [agent], {
    ...options,
    pages: [
      async ({ url }) => {
        const [type, body] = files[url.pathname] ?? [];
        return type === undefined || body === undefined ? undefined : { status: 200, headers: { "content-type": type }, body };
      },
    ],
  });
  const context = await browser.newContext();
  t.after(() => context.close());
  return { server, context, goOn };
}

async function open(context: BrowserContext, server: Server): Promise<Page> {
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT);
  await page.goto(`${server.url}/page`);
  await page.waitForFunction(() => typeof globalThis.createClient === "function");
  return page;
}

const send = (page: Page, text: string): Promise<string> =>
  page.evaluate(async (said) => {
    const reply = await globalThis.createClient().send("agent", said);
    return "task" in reply ? reply.task : "";
  }, text);

const numbered = (count: number): number[] => Array.from({ length: count }, (_, index) => index + 1);

test("a browser's EventSource resumes by itself after a cut, is told the end, and stays closed", async (t) => {
  const { server, context } = await setUp(t, {});
  const page = await open(context, server);
  const task = await send(page, "100");
  const requests: string[] = [];
  // The first connection is cut in the middle of the entries, all others live.
  const proxy = await startCuttingProxy((connection) => (connection === 0 ? 6000 : undefined));
  proxy.target = server.port;
  t.after(() => proxy[Symbol.asyncDispose]());
  const other = await context.newPage();
  other.on("request", (request) => requests.push(request.url()));
  other.setDefaultTimeout(TIMEOUT);
  // A page of the proxy's own origin that needs nothing else of it.
  await other.route("**/blank", (route) => route.fulfill({ contentType: "text/html", body: "<title>blank</title>" }));
  await other.goto(`http://127.0.0.1:${proxy.port}/blank`);
  requests.length = 0;
  const seen = await other.evaluate(
    (id) =>
      new Promise<{ seqs: number[]; ended: boolean; state: number }>((resolve) => {
        const source = new EventSource(`/api/tasks/${id}/events?audience=internal`);
        const seqs: number[] = [];
        let ended = false;
        source.addEventListener("message", ({ data }: { data: string }) => seqs.push((JSON.parse(data) as StreamEntry).seq));
        source.addEventListener("end", () => (ended = true));
        source.addEventListener("error", () => {
          if (source.readyState === 2) resolve({ seqs, ended, state: source.readyState });
        });
      }),
    task,
  );
  assert.deepEqual(seen.seqs, numbered(seen.seqs.length));
  assert.ok(seen.seqs.length > 100 && seen.ended);
  assert.equal(proxy.cuts, 1);
  assert.equal(requests.length, 3, `cut, whole, 204: ${requests.join()}`);
});

test("the tabs of an origin share one connection; when its tab is closed another takes over", async (t) => {
  const { server, context, goOn } = await setUp(t);
  const pages = await Promise.all([0, 1, 2].map(() => open(context, server)));
  let sockets = 0;
  for (const page of pages) page.on("websocket", () => (sockets += 1));
  const [first, ...others] = pages;
  assert.ok(first);
  const task = await send(first, "50 50");
  const read = (page: Page): Promise<void> =>
    page.evaluate((id) => {
      globalThis.got = [];
      void (async () => {
        for await (const { seq } of globalThis.createClient().stream(id, { audience: "internal" })) globalThis.got.push(seq);
        globalThis.got.push(-1);
      })();
    }, task);
  const until = (page: Page, count: number): Promise<unknown> => page.waitForFunction((least) => globalThis.got.length >= least, count);
  // The first to ask leads.
  await read(first);
  await until(first, 53);
  await Promise.all(others.map(read));
  await Promise.all(others.map((page) => until(page, 53)));
  assert.equal(sockets, 1);
  await first.close();
  goOn();
  for (const page of others) {
    await page.waitForFunction(() => globalThis.got.at(-1) === -1);
    const got = await page.evaluate(() => globalThis.got);
    assert.deepEqual(got.slice(0, -1), numbered(got.length - 1));
    assert.ok(got.length > 100);
  }
  assert.equal(sockets, 2);
});

test("a page signs in: no script can read what keeps it signed in, and its socket is the user's", async (t) => {
  const { key, line } = makeApiKey({ tenant: "acme", user: "ann" });
  const folder = mkdtempSync(join(tmpdir(), "ias-browser-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "keys"), line);
  const { server, context } = await setUp(t, { auth: { kind: "api-keys", file: join(folder, "keys") } });
  const page = await open(context, server);
  const urls: string[] = [];
  page.on("websocket", (socket) => urls.push(socket.url()));
  const seen = await page.evaluate(async (secret) => {
    const client = globalThis.createClient();
    const before = await client.session().catch((error: unknown) => (error as { code: string }).code);
    const { principal } = await client.signIn({ authorization: `Bearer ${secret}` });
    const reply = await client.send("agent", "3");
    let count = 0;
    if ("task" in reply) for await (const _ of client.stream(reply.task)) count += 1;
    const file = await client.upload(new Blob(["hello"], { type: "text/plain" }), { filename: "hello.txt" });
    const text = await (await fetch(file.url)).text();
    const readable = (globalThis as unknown as { document: { cookie: string } }).document.cookie;
    await client.signOut();
    const after = await client.session().catch((error: unknown) => (error as { code: string }).code);
    return { before, user: principal.user, count, text, readable, after };
  }, key);
  assert.deepEqual(
    { ...seen, count: seen.count > 4 },
    { before: "unauthenticated", user: "ann", count: true, text: "hello", readable: "", after: "unauthenticated" },
  );
  assert.deepEqual(
    urls.map((url) => new URL(url).search),
    [""],
  );
});

test("stream(task, { after }) alone gives in a page what the client gives, from where it is asked to", async (t) => {
  const { server, context } = await setUp(t);
  const page = await open(context, server);
  const task = await send(page, "20");
  const whole = await page.evaluate(async (id) => {
    const seqs: number[] = [];
    for await (const { seq } of globalThis.createClient().stream(id, { audience: "internal" })) seqs.push(seq);
    return seqs;
  }, task);
  await page.goto(`${server.url}/small`);
  await page.waitForFunction(() => typeof globalThis.streamAlone === "function");
  const [first, rest, client] = await page.evaluate(async (id) => {
    const half = globalThis.streamAlone(id, { audience: "internal" });
    const before: number[] = [];
    for await (const { seq } of half) if (before.push(seq) === 7) break;
    const { cursor = "" } = half;
    const after: number[] = [];
    for await (const { seq } of globalThis.streamAlone(id, { audience: "internal", after: cursor })) after.push(seq);
    return [before, after, typeof globalThis.createClient] as const;
  }, task);
  assert.deepEqual(first, whole.slice(0, 7));
  assert.deepEqual([...new Set([...first, ...rest])], whole);
  assert.equal(client, "undefined");
});

test("a page of another origin reads with a key of its own: tickets go into addresses, one each, and the key never does", async (t) => {
  const { key, line } = makeApiKey({ tenant: "acme", user: "ann" });
  const folder = mkdtempSync(join(tmpdir(), "ias-browser-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "keys"), line);
  const pages = await setUp(t);
  const { server } = await setUp(t, { auth: { kind: "api-keys", file: join(folder, "keys") }, allowedOrigins: [pages.server.url] });
  const page = await open(pages.context, pages.server);
  const [sockets, urls]: [URL[], string[]] = [[], []];
  page.on("websocket", (socket) => sockets.push(new URL(socket.url())));
  page.on("request", (request) => urls.push(request.url()));
  const seen = await page.evaluate(
    async ([baseUrl, secret]) => {
      const client = globalThis.createClient({ baseUrl, headers: { authorization: `Bearer ${secret}` }, backoff: { baseMs: 1, maxMs: 10 } });
      const reply = await client.send("agent", "30");
      const task = "task" in reply ? reply.task : "";
      const seqs: number[] = [];
      for await (const { seq } of client.stream(task, { audience: "internal" })) if (seqs.push(seq) === 5) client.reconnect();
      // A browser's own EventSource takes a ticket too, and is told the end.
      const { ticket } = (await (await fetch(`${baseUrl}/api/tickets`, { method: "POST", headers: { authorization: `Bearer ${secret}` } })).json()) as {
        ticket: string;
      };
      const told = await new Promise<number>((resolve) => {
        let count = 0;
        const source = new EventSource(`${baseUrl}/api/tasks/${task}/events?audience=internal&ticket=${ticket}`);
        source.addEventListener("message", () => (count += 1));
        source.addEventListener("end", () => {
          source.close();
          resolve(count);
        });
      });
      const again = await fetch(`${baseUrl}/api/session?ticket=${ticket}`);
      client.close();
      return { seqs, told, again: again.status };
    },
    [server.url, key] as const,
  );
  assert.deepEqual(seen.seqs, numbered(seen.seqs.length));
  assert.deepEqual([seen.told, seen.again], [seen.seqs.length, 401]);
  const tickets = sockets.map(({ searchParams }) => searchParams.get("ticket"));
  assert.equal(tickets.length, 2);
  assert.ok(tickets.every((ticket) => ticket !== null && ticket !== "") && tickets[0] !== tickets[1]);
  assert.ok(![...urls, ...sockets.map(String)].some((url) => url.includes(key)));
});

test("a page that was offline comes back when the browser says that it is online, however long it would wait", async (t) => {
  const pages = await setUp(t);
  const { server } = await setUp(t, { allowedOrigins: [pages.server.url] });
  const proxy = await startCuttingProxy((connection) => (connection === 0 ? 6000 : undefined));
  proxy.target = server.port;
  t.after(() => proxy[Symbol.asyncDispose]());
  const page = await open(pages.context, pages.server);
  await page.evaluate(
    async ([direct, cut]) => {
      globalThis.got = [];
      const reply = await globalThis.createClient({ baseUrl: direct }).send("agent", "100");
      const client = globalThis.createClient({ baseUrl: cut, transport: "sse", shared: false, backoff: { baseMs: 1_000_000, maxMs: 1_000_000 } });
      const onConnection = ({ kind }: { kind: string }): void => void (kind === "lost" && globalThis.got.push(0));
      void (async () => {
        if ("task" in reply) for await (const { seq } of client.stream(reply.task, { audience: "internal", onConnection })) globalThis.got.push(seq);
        globalThis.got.push(-1);
      })();
    },
    [server.url, `http://127.0.0.1:${proxy.port}`] as const,
  );
  await page.waitForFunction(() => globalThis.got.at(-1) === 0);
  await pages.context.setOffline(true);
  await pages.context.setOffline(false);
  await page.waitForFunction(() => globalThis.got.at(-1) === -1);
  const seqs = (await page.evaluate(() => globalThis.got)).filter((seq) => seq > 0);
  assert.deepEqual(seqs, numbered(seqs.length));
  assert.ok(seqs.length > 100 && proxy.cuts === 1);
});
