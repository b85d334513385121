import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import test from "node:test";
import { buildConnector } from "undici";
import { IasError } from "../model/errors.ts";
import { createGuardedFetch, type GuardedFetchOptions } from "./guarded-fetch.ts";

async function listen(handler: http.RequestListener): Promise<{ readonly url: string; readonly port: number } & AsyncDisposable> {
  const server = http.createServer(handler).listen(0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      server.close();
      await once(server, "close");
    },
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

/** Sends every connection to a local port, whatever address was judged, and writes down what that was. */
function redirected(port: number, seen: string[][]): NonNullable<GuardedFetchOptions["connector"]> {
  return (addresses, timeout) => (target, callback) => {
    seen.push([...addresses]);
    buildConnector({ timeout })({ ...target, hostname: "127.0.0.1", host: `127.0.0.1:${port}`, port: String(port) }, callback);
  };
}

test("a local target is refused by default and reached with allowLocal", async () => {
  let requests = 0;
  await using server = await listen((_request, response) => {
    requests += 1;
    response.end("hello");
  });
  await using strict = createGuardedFetch();
  const error = await refusal(strict(server.url));
  assert.equal(error.code, "forbidden");
  assert.equal(error.reason, "TARGET_NOT_ALLOWED");
  for (const way of ["allowLocal: true", "allowPrivate: true", "ALLOW_LOCAL_TARGETS=1"])
    assert.ok(error.message.includes(way), `a client and a server are told: ${error.message}`);
  assert.equal(requests, 0);
  await using local = createGuardedFetch({ allowLocal: true });
  const response = await local(server.url);
  assert.equal(await response.text(), "hello");
  assert.equal(response.url, `${server.url}/`);
});

test("allowLocal opens loopback and nothing else", async () => {
  await using local = createGuardedFetch({ allowLocal: true });
  for (const host of ["10.0.0.1", "169.254.169.254", "[::ffff:127.0.0.1]", "[fe80::1]", "0.0.0.0", "0", "[::]", "100.64.0.1", "[64:ff9b::7f00:1]"]) {
    assert.equal((await refusal(local(`http://${host}:8080/`))).code, "forbidden", host);
  }
});

test("what is not an http target is told as such", async () => {
  await using guarded = createGuardedFetch({ allowLocal: true });
  for (const url of [
    "",
    "/relative",
    "ftp://example.com",
    "file:///etc/passwd",
    "data:text/plain,x",
    "http://user:pass@127.0.0.1/",
    "http://127.0.0.1:0/",
    "javascript:1",
  ]) {
    assert.equal((await refusal(guarded(url))).code, "invalid-params", url);
    assert.equal((await refusal(guarded.check(url))).code, "invalid-params", url);
  }
});

test("a port of another protocol is told as a bad target", async () => {
  await using guarded = createGuardedFetch({ allowLocal: true });
  assert.equal((await refusal(guarded("http://127.0.0.1:25/"))).code, "invalid-params");
});

test("a name is resolved once per connection and only judged addresses are connected to", async () => {
  await using server = await listen((_request, response) => response.end("ok"));
  const seen: string[][] = [];
  const asked: string[] = [];
  const answers = [["10.0.0.1", "93.184.216.34", "::1", "fe80::1"], ["127.0.0.1"]];
  await using guarded = createGuardedFetch({
    resolve: async (hostname) => {
      asked.push(hostname);
      return answers.shift() ?? [];
    },
    connector: redirected(server.port, seen),
  });
  assert.equal(await (await guarded("http://rebind.example/", { headers: { connection: "close" } })).text(), "ok");
  assert.deepEqual(seen, [["93.184.216.34"]]);
  assert.deepEqual(asked, ["rebind.example"]);
  // The name now answers with loopback: a new connection is refused, and nothing was connected.
  const error = await refusal(guarded("http://rebind.example/"));
  assert.equal(error.reason, "TARGET_NOT_ALLOWED");
  assert.equal(seen.length, 1);
});

test("the real connector goes to the judged address, not to what the name resolves to otherwise", async () => {
  await using server = await listen((request, response) => response.end(request.headers.host));
  await using guarded = createGuardedFetch({ allowLocal: true, resolve: async () => ["127.0.0.1"] });
  assert.equal(await (await guarded(`http://no-such-name.invalid:${server.port}/`)).text(), `no-such-name.invalid:${server.port}`);
});

test("a name with several addresses is reached at the one that answers", async () => {
  await using server = await listen((_request, response) => response.end("here"));
  await using guarded = createGuardedFetch({ allowLocal: true, resolve: async () => ["::1", "127.0.0.2", "127.0.0.1"] });
  assert.equal(await (await guarded(`http://several.example:${server.port}/`)).text(), "here");
});

test("a redirect into loopback is refused, also where loopback targets are allowed", async () => {
  let secrets = 0;
  await using secret = await listen((_request, response) => {
    secrets += 1;
    response.end("secret");
  });
  await using server = await listen((_request, response) => response.writeHead(302, { location: `${secret.url}/` }).end());
  for (const allowLocal of [false, true]) {
    await using guarded = createGuardedFetch({ allowLocal, resolve: async () => ["93.184.216.34"], connector: redirected(server.port, []) });
    const error = await refusal(guarded("http://public.example/"));
    assert.equal(error.reason, "TARGET_NOT_ALLOWED");
  }
  assert.equal(secrets, 0);
});

test("redirects are followed by hand up to a limit, and weaker schemes and non-URLs are refused", async () => {
  await using server = await listen((request, response) => {
    const left = Number(request.url?.slice(1));
    if (left > 0) response.writeHead(302, { location: `/${left - 1}` }).end();
    else response.end("arrived");
  });
  await using guarded = createGuardedFetch({ allowLocal: true, limits: { maxRedirects: 3 } });
  assert.equal(await (await guarded(`${server.url}/3`)).text(), "arrived");
  assert.equal((await refusal(guarded(`${server.url}/4`))).reason, "REDIRECT_LIMIT");
  const raw = await guarded(`${server.url}/1`, { limits: { maxRedirects: 0 } });
  assert.equal(raw.status, 302);
  await raw.body?.cancel();
});

test("redirects keep or change the method as fetch does, and never carry credentials to another origin", async () => {
  const seen: { readonly method: string | undefined; readonly auth: string | undefined; readonly key: string | undefined; readonly body: string }[] = [];
  await using target = await listen((request, response) => {
    let body = "";
    request.on("data", (chunk: Buffer) => (body += chunk.toString()));
    request.on("end", () => {
      seen.push({ method: request.method, auth: request.headers.authorization, key: request.headers["x-api-key"]?.toString(), body });
      response.end("ok");
    });
  });
  await using server = await listen((request, response) => {
    request.resume();
    response.writeHead(Number(request.url?.slice(1)), { location: `${target.url}/` }).end();
  });
  await using guarded = createGuardedFetch({ allowLocal: true });
  for (const status of [301, 303, 307, 308]) {
    const response = await guarded(`${server.url}/${status}`, { method: "POST", body: "data", headers: { authorization: "Bearer s3cret", "x-api-key": "k" } });
    await response.text();
  }
  const none = { auth: undefined, key: undefined };
  const get = { method: "GET", body: "", ...none };
  const post = { method: "POST", body: "data", ...none };
  assert.deepEqual(seen, [get, get, post, post]);
});

test("credentials stay on a redirect within the origin", async () => {
  await using server = await listen((request, response) => {
    if (request.url === "/") response.writeHead(307, { location: "/next" }).end();
    else response.end(request.headers.authorization);
  });
  await using guarded = createGuardedFetch({ allowLocal: true });
  assert.equal(await (await guarded(server.url, { headers: { authorization: "Bearer s3cret" } })).text(), "Bearer s3cret");
});

test("a body above the limit ends with too-large, compressed or not", async () => {
  const { gzipSync } = await import("node:zlib");
  const bomb = gzipSync(Buffer.alloc(5_000_000));
  await using server = await listen((request, response) => {
    if (request.url === "/bomb") response.writeHead(200, { "content-encoding": "gzip" }).end(bomb);
    else response.end(Buffer.alloc(2_000_000));
  });
  await using guarded = createGuardedFetch({ allowLocal: true, limits: { maxBytes: 1_000_000 } });
  for (const path of ["/plain", "/bomb"]) {
    const response = await guarded(server.url + path);
    const error = await refusal(response.arrayBuffer());
    assert.equal(error.code, "too-large");
    assert.equal(error.reason, "RESPONSE_TOO_LARGE");
  }
});

test("each time limit has its name", async () => {
  await using server = await listen((request, response) => {
    if (request.url === "/headers") return;
    response.writeHead(200).write("x");
    if (request.url !== "/trickle") return;
    const timer = setInterval(() => response.write("x"), 20);
    response.on("close", () => clearInterval(timer));
  });
  await using guarded = createGuardedFetch({ allowLocal: true });
  assert.equal((await refusal(guarded(`${server.url}/headers`, { limits: { headersTimeoutMs: 100 } }))).reason, "HEADERS_TIMEOUT");
  const idle = await guarded(`${server.url}/idle`, { limits: { idleTimeoutMs: 100 } });
  assert.equal((await refusal(idle.text())).reason, "IDLE_TIMEOUT");
  const trickle = await guarded(`${server.url}/trickle`, { limits: { totalTimeoutMs: 1000 } });
  assert.equal((await refusal(trickle.text())).reason, "TOTAL_TIMEOUT");
  assert.equal((await refusal(guarded(`${server.url}/headers`, { limits: { totalTimeoutMs: 100 } }))).reason, "TOTAL_TIMEOUT");
});

test("an abort is told as an abort, before and during the body", async () => {
  await using server = await listen((request, response) => {
    if (request.url === "/body") response.writeHead(200).write("x");
  });
  await using guarded = createGuardedFetch({ allowLocal: true });
  const before = new AbortController();
  const pending = refusal(guarded(server.url, { signal: before.signal }));
  before.abort();
  assert.equal((await pending).code, "aborted");
  const during = new AbortController();
  const response = await guarded(`${server.url}/body`, { signal: during.signal });
  const reading = refusal(response.text());
  during.abort();
  assert.equal((await reading).code, "aborted");
});

test("a refused connection is unavailable and says that nothing was sent", async () => {
  const server = await listen(() => undefined);
  await server[Symbol.asyncDispose]();
  await using guarded = createGuardedFetch({ allowLocal: true });
  const error = await refusal(guarded(server.url));
  assert.equal(error.code, "unavailable");
  assert.equal(error.reason, "CONNECT_FAILED");
  assert.equal(error.retryable, true);
});

test("a slow consumer holds the server back", async () => {
  let sent = 0;
  await using server = await listen((_request, response) => {
    const chunk = Buffer.alloc(64 * 1024);
    const more = (): void => {
      while (sent < 200_000_000) {
        sent += chunk.length;
        if (!response.write(chunk)) {
          response.once("drain", more);
          return;
        }
      }
      response.end();
    };
    more();
  });
  await using guarded = createGuardedFetch({ allowLocal: true, limits: { maxBytes: Infinity, totalTimeoutMs: Infinity } });
  const response = await guarded(server.url);
  const reader = response.body?.getReader();
  await reader?.read();
  // Wait until the server is blocked: its count stands still over two looks.
  for (let last = -1; last !== sent;) {
    last = sent;
    await new Promise((resolve) => setTimeout(resolve, 150));
  }
  assert.ok(sent < 30_000_000, `the server sent ${sent} bytes to a reader that took one chunk`);
  await reader?.cancel();
});
