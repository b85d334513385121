import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { agentOf, collect, serving } from "../../../test/support/serving.ts";
import { makeApiKey } from "../tenancy/api-keys.ts";
import { ClientError } from "./client-error.ts";
import { createClient } from "./create-client.ts";
import { toPart } from "./words.ts";

async function setUp(t: TestContext) {
  const keys = ["ann", "bob"].map((user) => makeApiKey({ tenant: "acme", user }));
  const folder = mkdtempSync(join(tmpdir(), "ias-client-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "keys"), keys.map(({ line }) => line).join("\n"));
  const agent = agentOf(
    async function* ({ principal }) {
      yield { kind: "text", text: principal.user };
    },
    { inputModes: ["*/*"] },
  );
  const server = await serving(t, [agent], { auth: { kind: "api-keys", file: join(folder, "keys") } });
  const clientOf = (transport: "sse" | "websocket", key: string | undefined, fetched: typeof fetch = fetch) => {
    const client = createClient({
      baseUrl: server.url,
      transport,
      fetch: fetched,
      ...(key !== undefined && { headers: async () => ({ authorization: `Bearer ${key}` }) }),
    });
    t.after(() => client.close());
    return client;
  };
  return { server, clientOf, ann: keys[0]?.key ?? "", bob: keys[1]?.key ?? "" };
}

for (const transport of ["sse", "websocket"] as const) {
  test(`${transport}: a key goes in headers, and never in a URL; what is another's does not exist`, async (t) => {
    const { clientOf, ann, bob } = await setUp(t);
    const urls: string[] = [];
    const noting: typeof fetch = (input, init) => {
      urls.push(typeof input === "string" ? input : "");
      return fetch(input, init);
    };
    const client = clientOf(transport, ann, noting);
    assert.equal((await client.session()).principal.user, "ann");
    const reply = await client.send("agent", "hi");
    const task = "task" in reply ? reply.task : assert.fail("no task");
    assert.ok((await collect(client.stream(task))).length > 2);
    assert.equal(urls.filter((url) => url.endsWith("/api/tickets")).length, transport === "websocket" ? 1 : 0);
    assert.ok(urls.length > 2 && !urls.some((url) => url.includes(ann)));
    await assert.rejects(collect(clientOf(transport, bob).stream(task)), (error) => error instanceof ClientError && error.code === "task-not-found");
  });

  test(`${transport}: without credentials, or with wrong ones, a stream ends at once`, async (t) => {
    const { clientOf } = await setUp(t);
    for (const key of [undefined, "wrong"]) {
      const states: string[] = [];
      const reading = collect(clientOf(transport, key).stream("t", { onConnection: ({ kind }) => states.push(kind) }));
      await assert.rejects(reading, (error) => error instanceof ClientError && error.code === "unauthenticated");
      assert.deepEqual(states, []);
    }
  });
}

test("a file is its uploader's alone: nobody else gets it, sends it, or learns that it is there", async (t) => {
  const { server, clientOf, ann, bob } = await setUp(t);
  const file = await clientOf("sse", ann).upload(new File(["secret"], "a.txt", { type: "text/plain" }));
  const get = (headers: Readonly<Record<string, string>>): Promise<Response> => fetch(server.url + file.url, { headers });
  assert.equal(await (await get({ authorization: `Bearer ${ann}` })).text(), "secret");
  assert.equal((await get({ authorization: `Bearer ${bob}` })).status, 404);
  assert.equal((await get({})).status, 401);
  const sending = clientOf("sse", bob).send("agent", { parts: [toPart(file)] });
  await assert.rejects(sending, (error) => error instanceof ClientError && error.code === "not-found" && error.reason === "BLOB_GONE");
  const foreign = await fetch(`${server.url}/api/uploads`, {
    method: "POST",
    headers: { origin: "https://evil.example", authorization: `Bearer ${ann}` },
    body: new FormData(),
  });
  assert.equal(foreign.status, 403);
  const unknown = await fetch(`${server.url}/api/uploads`, { method: "POST", body: new FormData() });
  assert.equal(unknown.status, 401);
});
