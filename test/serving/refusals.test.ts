import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type IncomingMessage, request, type RequestListener } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { buildConnector } from "undici";
import { connectA2A } from "../../src/lib/client/connect.ts";
import { a2a } from "../../src/lib/engine/a2a.ts";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { createGuardedFetch } from "../../src/lib/net/guarded-fetch.ts";
import { messageOf } from "../support/messages.ts";
import { agentOf, rpcClient, serving, statesOf } from "../support/serving.ts";

const PUBLIC = "93.184.216.34";

/** Ways to spell an address that no caller may send us to; `PORT` is that of a server which must not be asked. */
const INWARD = [
  "http://127.0.0.1:PORT/",
  "http://localhost:PORT/",
  "http://127.1:PORT/",
  "http://2130706433:PORT/",
  "http://0x7f000001:PORT/",
  "http://0177.0.0.1:PORT/",
  "http://0.0.0.0:PORT/",
  "http://[::1]:PORT/",
  "http://[::]:PORT/",
  "http://[::ffff:127.0.0.1]:PORT/",
  "http://[::ffff:7f00:1]:PORT/",
  "http://[::127.0.0.1]:PORT/",
  "http://[64:ff9b::7f00:1]:PORT/",
  "http://[2002:7f00:1::]:PORT/",
  "http://[fe80::1]:PORT/",
  "http://[fd00::1]:PORT/",
  "http://10.0.0.1:PORT/",
  "http://169.254.169.254/latest/meta-data/",
  "http://192.168.0.1:PORT/",
  "file:///etc/passwd",
  "gopher://127.0.0.1:PORT/",
] as const;

/** Loads the files that it gets. */
const loader = agentOf(async function* (turn) {
  for (const part of turn.input.flatMap(({ parts }) => parts)) if (part.url !== undefined) yield { kind: "text", text: String(await turn.load(part)) };
});

describe("a server refuses", () => {
  it("requests of foreign hosts and origins, and bodies that a foreign page could send, on every endpoint", async (t) => {
    const server = await serving(t, [loader]);
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method: "SendMessage", params: { message: messageOf("x") } });
    const places = [
      ["POST", "/a2a/agent", body],
      ["POST", "/a2a/agent/rest/message:send", JSON.stringify({ message: messageOf("x") })],
      ["POST", "/a2a/agent/rest/v1/message:send", "{}"],
      ["GET", "/a2a/agent/rest/tasks", undefined],
      ["GET", "/.well-known/agent-card.json", undefined],
      ["GET", "/a2a/agent/.well-known/agent-card.json", undefined],
      ["GET", "/a2a", undefined],
      ["GET", "/healthz", undefined],
      ["GET", "/", undefined],
    ] as const;
    for (const [method, path, content] of places) {
      const json = { "content-type": "application/json", "a2a-version": path.includes("/v1/") ? "0.3" : "1.0" };
      for (const headers of [{ host: "evil.test" }, { host: `evil.test:${server.port}` }, { origin: "https://evil.test" }, { origin: "null" }]) {
        const { status } = await ask(server.port, method, path, { ...json, ...headers }, content);
        assert.equal(status, 403, `${method} ${path} ${JSON.stringify(headers)}`);
      }
      if (content === undefined) continue;
      for (const type of ["text/plain", "text/plain;charset=utf-8", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", ""]) {
        const { status, text } = await ask(server.port, method, path, { ...json, "content-type": type }, content);
        // JSON-RPC tells its errors with 200.
        assert.ok(status === 400 || status === 415 || (status === 200 && "error" in (JSON.parse(text) as object)), `${path} as ${type}: ${status} ${text}`);
      }
    }
    const { tasks } = await rpcClient(`${server.url}/a2a/agent`).must<{ tasks: unknown[] }>("ListTasks", {});
    assert.deepEqual(tasks, [], "nothing of it was done");
  });

  it("webhooks, files and agents at inward addresses, however they are spelled", async (t) => {
    await using trap = await listen((_request, response) => response.end("secret"));
    const server = await serving(t, [loader]);
    const client = rpcClient(`${server.url}/a2a/agent`);
    const { task } = await client.send("x");
    for (const form of INWARD) {
      const url = form.replace("PORT", String(trap.port));
      const created = await client.call("CreateTaskPushNotificationConfig", { taskId: task.id, url });
      assert.ok(created.error !== undefined && created.error.code !== -32603, `${url}: ${JSON.stringify(created)}`);
      const sent = await client.call("SendMessage", { message: messageOf("x"), configuration: { taskPushNotificationConfig: { url } } });
      assert.ok(sent.error !== undefined && sent.error.code !== -32603, `${url}: ${JSON.stringify(sent)}`);
      const file = await client.call<{ task: { status: { state: string } } }>("SendMessage", { message: messageOf("x", { parts: [{ url }] }) });
      assert.ok(file.error !== undefined || file.result?.task.status.state === "TASK_STATE_FAILED", `${url}: ${JSON.stringify(file)}`);
      assert.doesNotMatch(JSON.stringify(file), /secret/);
    }
    // An agent's card may name any address as the agent's.
    const card = { name: "a", supportedInterfaces: [{ url: `http://127.0.0.1:${trap.port}/`, protocolBinding: "JSONRPC", protocolVersion: "1.0" }] };
    const engine = a2a({ url: "https://agent.example.com", connect: () => connectA2A(card) });
    const relay = await serving(t, [defineAgent({ id: "agent", engine })]);
    const relayed = await rpcClient(`${relay.url}/a2a/agent`).all("SendStreamingMessage", { message: messageOf("x") });
    assert.equal(statesOf(relayed).at(-1), "FAILED");
    assert.equal(trap.requests, 0);
  });

  it("redirects inward, and names that turn inward after they were looked at", async (t) => {
    await using trap = await listen((_request, response) => response.end("secret"));
    await using open = await listen((_request, response) => response.writeHead(302, { location: `http://127.0.0.1:${trap.port}/`, connection: "close" }).end());
    let turned = false;
    const askedAgain = Promise.withResolvers<void>();
    await using outgoing = createGuardedFetch({
      resolve: async (name) => {
        if (name === "rebind.test" && turned) askedAgain.resolve();
        return [name === "redirect.test" || (name === "rebind.test" && !turned) ? PUBLIC : "127.0.0.1"];
      },
      // The public address leads to the redirecting server; whatever else was judged well would lead to the trap.
      connector: (addresses) => {
        const connect = buildConnector({});
        const port = String(addresses.every((address) => address === PUBLIC) ? open.port : trap.port);
        return (target, callback) => connect({ ...target, hostname: "127.0.0.1", host: `127.0.0.1:${port}`, port }, callback);
      },
    });
    const server = await serving(t, [loader], { fetch: outgoing });
    const client = rpcClient(`${server.url}/a2a/agent`);
    for (const url of ["http://redirect.test/", "http://inward.test/"]) {
      const { task } = await client.send("x", { parts: [{ url }] });
      assert.equal(task.status.state, "TASK_STATE_FAILED", url);
      assert.doesNotMatch(JSON.stringify(task), /secret/);
    }
    assert.ok(open.requests > 0, "the redirect was met");
    // Judged as public when it is configured, and again at each delivery: by then it is loopback.
    const sent = await client.call("SendMessage", { message: messageOf("x"), configuration: { taskPushNotificationConfig: { url: "http://rebind.test/" } } });
    assert.equal(sent.error, undefined, JSON.stringify(sent.error));
    turned = true;
    await askedAgain.promise;
    assert.equal(trap.requests, 0);
  });
});

/** The status of a request with headers that `fetch` would not send. */
async function ask(port: number, method: string, path: string, headers: Readonly<Record<string, string>>, body: string | undefined) {
  const sent = request({ host: "127.0.0.1", port, method, path, headers: { connection: "close", ...headers } });
  sent.end(body);
  const [response] = (await once(sent, "response")) as [IncomingMessage];
  let text = "";
  for await (const chunk of response.setEncoding("utf8")) text += String(chunk);
  return { status: response.statusCode ?? 0, text };
}

async function listen(handle: RequestListener): Promise<AsyncDisposable & { readonly port: number; readonly requests: number }> {
  let requests = 0;
  const server = createServer((incoming, response) => {
    requests += 1;
    handle(incoming, response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  return {
    port: (server.address() as AddressInfo).port,
    get requests() {
      return requests;
    },
    async [Symbol.asyncDispose]() {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}
