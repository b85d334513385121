import assert from "node:assert/strict";
import { createServer } from "node:http";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { test, type TestContext } from "node:test";
import { createGuardedFetch } from "./guarded-fetch.ts";
import { isHostAllowed, onlyHosts } from "./only-hosts.ts";

test("a host is allowed by its name, or by the names above it", () => {
  const allowed = ["agents.example.com", "*.Example.org"];
  const is = (host: string): boolean => isHostAllowed(new URL(`https://${host}/x`), allowed);
  assert.deepEqual(["agents.example.com", "AGENTS.example.com:8443", "a.example.org", "a.b.example.org"].map(is), [true, true, true, true]);
  assert.deepEqual(["example.com", "x.agents.example.com", "example.org", "notexample.org", "example.org.evil.test"].map(is), [
    false,
    false,
    false,
    false,
    false,
  ]);
  assert.ok(isHostAllowed(new URL("https://any.test"), []));
});

/** A server that redirects to where the path says, and says how often it was asked. */
async function redirecting(t: TestContext) {
  let asked = 0;
  const server = createServer((request, response) => {
    asked += 1;
    const to = new URL(request.url ?? "", "http://x").searchParams.get("to");
    if (to === null) response.end("here");
    else response.writeHead(302, { location: to }).end();
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return { url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/`, asked: () => asked };
}

test("requests, every hop of a redirect, and WebSockets go to the hosts alone", async (t) => {
  await using guarded = createGuardedFetch({ allowLocal: true });
  const fetch = onlyHosts(guarded, ["127.0.0.1"]);
  const { url, asked } = await redirecting(t);
  assert.equal(await (await fetch(url)).text(), "here");
  assert.equal(await (await fetch(`${url}?to=/again`)).text(), "here");
  const before = asked();
  const refused = { reason: "REMOTE_HOST_NOT_ALLOWED" };
  await assert.rejects(fetch(url.replace("127.0.0.1", "localhost")), refused);
  await assert.rejects(fetch.check("https://elsewhere.test/"), refused);
  await assert.rejects(
    fetch.socket(`${url.replace("http://127.0.0.1", "ws://localhost")}ws`, { protocols: [], headers: {}, onMessage: () => {}, onClose: () => {} }),
    refused,
  );
  assert.equal(asked(), before);
  await assert.rejects(fetch(`${url}?to=https://elsewhere.test/`), refused);
});
