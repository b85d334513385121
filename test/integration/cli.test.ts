import assert from "node:assert/strict";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import { messageOf } from "../support/messages.ts";
import { startIas, startServe } from "../support/ias-process.ts";
import { rpcClient } from "../support/serving.ts";

// `ias` as a user has it: real processes, signals and files. No step waits for a time.

function folder(t: TestContext): string {
  const path = mkdtempSync(join(tmpdir(), "ias-cli-"));
  t.after(() => rmSync(path, { recursive: true, force: true, maxRetries: 3 }));
  return path;
}

/** What the agent of `MODULE` waits for between its two words: the test lets it on. */
async function gate(t: TestContext): Promise<{ readonly env: Record<string, string>; asked(times: number): Promise<void>; open(): void }> {
  let waiting: ServerResponse[] = [];
  let isOpen = false;
  let [count, wake] = [0, Promise.withResolvers<void>()];
  const server = createServer((_request, response) => {
    count += 1;
    wake.resolve();
    wake = Promise.withResolvers();
    if (isOpen) response.end();
    else waiting.push(response);
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return {
    env: { GATE: `http://127.0.0.1:${(server.address() as AddressInfo).port}` },
    async asked(times) {
      while (count < times) await wake.promise;
    },
    open() {
      isOpen = true;
      for (const response of waiting) response.end();
      waiting = [];
    },
  };
}

/** A user's module, in TypeScript: says "one", asks the gate, says "two". */
const MODULE = `
type Event = { kind: "text"; text: string };
const run = async function* (_turn: unknown, { signal }: { signal: AbortSignal }): AsyncGenerator<Event> {
  yield { kind: "text", text: "one " };
  await fetch(process.env["GATE"] ?? "", { signal });
  yield { kind: "text", text: "two" };
};
export const agents = [{ id: "gated", engine: { run } }];
`;

test("SIGTERM takes no new work, lets the running turn end, and exits 0", async (t) => {
  const cwd = folder(t);
  const { env, open } = await gate(t);
  writeFileSync(join(cwd, "agents.ts"), MODULE);
  const server = startIas(t, ["serve", "agents.ts"], { cwd, env: { ...env, PORT: "0", GRPC_PORT: "off", LIMITS: '{"drainGraceMs":60000}' } });
  const [, url = ""] = await server.until(/is ready: (\S+)\n/);
  const chat = startIas(t, ["chat", url, "go"], { cwd });
  await chat.until(/^one $/);
  server.child.kill("SIGTERM");
  await server.until(/SIGTERM: no new work/);
  const refused = startIas(t, ["chat", url, "more"], { cwd });
  await refused.until(/not connected \(.*takes no new work.*\); again in/);
  refused.child.kill("SIGINT");
  assert.equal(await refused.ended, 130);
  open();
  assert.deepEqual([await chat.ended, chat.out], [0, "one two\n"]);
  assert.equal(await server.ended, 0);
});

test("a second signal stops at once, and the turn goes on after the next start", async (t) => {
  const cwd = folder(t);
  const { env, open, asked } = await gate(t);
  writeFileSync(join(cwd, "agents.ts"), MODULE);
  const first = await startServe(t, ["agents.ts"], { cwd, env: { ...env, LIMITS: '{"drainGraceMs":600000}' } });
  const chat = startIas(t, ["chat", first.url, "go", "--json"], { cwd });
  const [, task = ""] = await chat.until(/"id":"([^"]+)"/);
  await asked(1);
  first.child.kill("SIGINT");
  // With --json it says nothing, so the second signal comes when the first has been taken: new work is refused.
  const { call } = rpcClient(`${first.url}/a2a/gated`);
  while ((await call("SendMessage", { message: messageOf("more"), configuration: { returnImmediately: true } })).error === undefined);
  first.child.kill("SIGINT");
  assert.equal(await first.ended, 130);
  open();
  const second = await startServe(t, ["agents.ts"], { cwd, env });
  const tail = startIas(t, ["chat", second.url, "--resume", task], { cwd });
  assert.equal(await tail.ended, 0);
  assert.match(tail.out, /one two\n$/);
});

test("chat reconnects by itself when the server is killed and started again", async (t) => {
  const cwd = folder(t);
  const { env, open } = await gate(t);
  writeFileSync(join(cwd, "agents.ts"), MODULE);
  const first = await startServe(t, ["agents.ts"], { cwd, env });
  const chat = startIas(t, ["chat", first.url, "go"], { cwd });
  await chat.until(/^one $/);
  first.child.kill("SIGKILL");
  await chat.until(/not connected \(/);
  open();
  await startServe(t, ["agents.ts"], { cwd, env: { ...env, PORT: new URL(first.url).port } });
  assert.equal(await chat.ended, 0, chat.err);
  assert.match(chat.out, /^one \n(.*\n)*?one two\n$/);
  assert.match(chat.err, /attempt 2: /);
});

test("Ctrl-C without a terminal leaves the task running and says how to see it again: exit 130", async (t) => {
  const cwd = folder(t);
  const { env, open } = await gate(t);
  writeFileSync(join(cwd, "agents.ts"), MODULE);
  const server = await startServe(t, ["agents.ts"], { cwd, env });
  const chat = startIas(t, ["chat", server.url, "go"], { cwd });
  await chat.until(/^one $/);
  chat.child.kill("SIGINT");
  assert.equal(await chat.ended, 130);
  const [, task = ""] = /--resume (\S+)\n$/.exec(chat.err) ?? assert.fail(chat.err);
  open();
  const again = startIas(t, ["chat", server.url, "--resume", task], { cwd });
  assert.deepEqual([await again.ended, again.out], [0, "one two\n"]);
});

test("a reader that goes away, as head does, ends the command in order", async (t) => {
  const cwd = folder(t);
  const { env, open } = await gate(t);
  writeFileSync(join(cwd, "agents.ts"), MODULE);
  const server = await startServe(t, ["agents.ts"], { cwd, env });
  const chat = startIas(t, ["chat", server.url, "go"], { cwd });
  await chat.until(/^one $/);
  chat.child.stdout?.destroy();
  open();
  assert.deepEqual([await chat.ended, chat.err], [0, ""]);
});

test("a second server on the same data folder, or on a taken port, exits 1 and says who has it", async (t) => {
  const cwd = folder(t);
  const server = await startServe(t, [], { cwd });
  const env = { PORT: "0", GRPC_PORT: "off" };
  const second = startIas(t, ["serve"], { cwd, env });
  assert.deepEqual([await second.ended, second.out], [1, ""]);
  assert.match(second.err, new RegExp(`^ias serve: .*${server.child.pid}`));
  const port = new URL(server.url).port;
  const taken = startIas(t, ["serve", "--log", "memory", "--port", port], { cwd, env });
  assert.equal(await taken.ended, 1);
  assert.equal(taken.err, `ias serve: Port ${port} on 127.0.0.1 is taken; choose another with --port or PORT (0 for any free one).\n`);
  const reader = await startServe(t, ["--read-only"], { cwd });
  const chat = startIas(t, ["chat", reader.url, "hi"], { cwd });
  assert.equal(await chat.ended, 1);
  assert.match(chat.err, /This server only reads/);
  const tasks = startIas(t, ["tasks", reader.url], { cwd });
  assert.equal(await tasks.ended, 0);
});

test("a setting from .env or the shell that would be unsafe or wrong is refused: exit 1", async (t) => {
  const cwd = folder(t);
  writeFileSync(join(cwd, ".env"), "HOST=0.0.0.0\nPORT=0\n");
  const open = startIas(t, ["serve"], { cwd });
  assert.deepEqual([await open.ended, open.out], [1, ""]);
  assert.match(open.err, /HOST=0\.0\.0\.0 would let anybody use the agents/);
  const shell = startIas(t, ["serve", "--json"], { cwd, env: { HOST: "127.0.0.1", LOG: "tape" } });
  assert.equal(await shell.ended, 1);
  assert.match((JSON.parse(shell.err) as { readonly error: { readonly message: string } }).error.message, /LOG must be sqlite or memory/);
  const flags = startIas(t, ["serve", "--port", "abc", "--log", "redis"], { cwd, env: { GRPC_PORT: "x" } });
  assert.equal(await flags.ended, 1);
  assert.equal(flags.err, "ias serve: --port must be a port number; GRPC_PORT must be a port number, 0 to 65535, or off; --log must be sqlite or memory\n");
});

test("a folder that is called .env is none of its business", async (t) => {
  const cwd = folder(t);
  mkdirSync(join(cwd, ".env"));
  const version = startIas(t, ["--version"], { cwd });
  assert.deepEqual([await version.ended, version.err], [0, ""]);
  assert.match(version.out, /^\d+\.\d+\.\d+\n$/);
});

test("a key in the shell is not used without a model's name, and a model without a key is refused", async (t) => {
  const cwd = folder(t);
  const env = { PORT: "0", GRPC_PORT: "off", LOG: "memory" };
  const scripted = startIas(t, ["serve"], { cwd, env: { ...env, OPENAI_API_KEY: "sk-nobody" } });
  await scripted.until(/model {4}a scripted model \(no key, no network\); --model <name> for a real one\n/);
  const keyless = startIas(t, ["serve", "--model", "m"], { cwd, env });
  assert.equal(await keyless.ended, 1);
  assert.match(keyless.err, /OPENAI_API_KEY.*OPENAI_BASE_URL/);
});

test("a module that cannot be served is told with its place: exit 1", async (t) => {
  const cwd = folder(t);
  for (const [text, says, type = "module"] of [
    ["export const agents = 3;", /must export `agents`/],
    ["export const agents = [", /a\.ts cannot be loaded: .*a\.ts:1/],
    ["throw new Error('boom');", /a\.ts cannot be loaded: boom \(.*a\.ts:1:7\)/],
    ["import 'node:fs';", /import statement outside a module .*npm pkg set type=module/, "commonjs"],
    ["import 'no-such-package';", /Cannot find package 'no-such-package'/],
    ["export const agents = [{ id: 'a b', engine: { run() {} } }];", /id "a b" does not fit/],
  ] as const) {
    writeFileSync(join(cwd, "package.json"), JSON.stringify({ type }));
    writeFileSync(join(cwd, "a.ts"), text);
    const server = startIas(t, ["serve", "a.ts", "--log", "memory"], { cwd, env: { PORT: "0", GRPC_PORT: "off" } });
    assert.deepEqual([await server.ended, server.out], [1, ""], text);
    assert.match(server.err, says);
  }
});
