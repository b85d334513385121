import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import type { Server } from "../../src/lib/main/server.ts";
import { createDemoAgents } from "../../src/lib/main/agents/demo-agents.ts";
import { makeApiKey } from "../../src/lib/tenancy/api-keys.ts";
import { seriousFindings, untilEqual, useBrowser } from "../support/browser.ts";
import { agentOf, rpcClient, serving } from "../support/serving.ts";
import { stepped } from "../support/stepped.ts";

// When something goes wrong, in a real browser: what a person wrote is not lost, buttons do not lie, and the page says what to do.

const { open } = useBrowser();

const LOST = /Failed to load resource/;
type Tasks = { readonly tasks: readonly { readonly id: string }[] };

test("a message that was not taken stays, and is sent again as the same one", async (t) => {
  const agent = agentOf(async function* (turn) {
    yield { kind: "text", text: `You said ${turn.input.at(-1)?.parts[0]?.text}.` };
  });
  const server = await serving(t, [agent]);
  const page = await open(`${server.url}/a/agent`, { expected: LOST });
  await page.locator("[data-composer]").waitFor();
  // The server takes it, and the answer is lost: twice.
  await page.route("**/messages", async (route) => {
    await route.fetch();
    await route.abort();
  });
  await page.locator("[data-composer]").fill("a long thought");
  await page.keyboard.press("Enter");
  const alert = page.getByRole("alert").filter({ hasText: "It was not sent" });
  await alert.getByText("The server cannot be reached.").waitFor();
  await page.locator(".said.user", { hasText: "a long thought" }).waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  await page.unroute("**/messages");
  await alert.getByRole("button", { name: "Send again" }).click();
  await page.getByText("You said a long thought.").waitFor();
  await alert.waitFor({ state: "detached" });
  await untilEqual(() => page.locator(".said.user").count(), 1);
  const { tasks } = await rpcClient(`${server.url}/a2a/agent`).must<Tasks>("ListTasks", {});
  assert.equal(tasks.length, 1);
});

test("a message that was not taken can be written anew", async (t) => {
  const server = await serving(t, [agentOf(async function* () {})]);
  const page = await open(`${server.url}/a/agent`, { expected: LOST });
  await page.route("**/messages", (route) => route.abort());
  await page.locator("[data-composer]").fill("a long thought");
  await page.keyboard.press("Enter");
  await page.getByRole("alert").getByRole("button", { name: "Edit" }).click();
  await untilEqual(() => page.locator("[data-composer]").inputValue(), "a long thought");
  await untilEqual(() => page.locator(".said.user").count(), 0);
});

test("an approval that was not taken is still asked, also on the task's own page", async (t) => {
  const { agents } = await createDemoAgents({ tokenMs: 0 });
  const server = await serving(t, agents);
  const page = await open(`${server.url}/a/assistant`, { expected: LOST });
  await page.locator("[data-composer]").fill("Send a note to Ada: the tests are green");
  await page.keyboard.press("Enter");
  const approve = page.getByRole("button", { name: "Approve" });
  await approve.waitFor();
  await page.route("**/approvals*", (route) => route.abort());
  await approve.click();
  await page.getByRole("alert").getByText("The server cannot be reached.").waitFor();
  await approve.waitFor();
  const { tasks } = await rpcClient(`${server.url}/a2a/assistant`).must<Tasks>("ListTasks", {});
  await page.goto(`${server.url}/t/assistant/${tasks[0]?.id}`);
  await approve.click();
  await page.getByRole("alert").getByText("The server cannot be reached.").waitFor();
  await page.unroute("**/approvals*");
  await approve.click();
  await page.locator(".md", { hasText: "was approved" }).waitFor();
});

test("what waits for an answer can be canceled, in the conversation and on its own page", async (t) => {
  const agent = agentOf(async function* () {
    yield { kind: "interrupt", reason: "input", message: [{ text: "Which one?" }] };
  });
  const server = await serving(t, [agent]);
  const page = await open(`${server.url}/a/agent`);
  /** Begins the task that is the `nth` on the page, from 0, and waits for its question. */
  const begin = async (nth: number): Promise<void> => {
    await page.locator("[data-composer]").fill("choose");
    await page.keyboard.press("Enter");
    await page.locator("[data-task]").nth(nth).getByText("Which one?").waitFor();
  };
  await begin(0);
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Canceled.").waitFor();
  await begin(1);
  await page.locator("[data-task]").nth(1).getByRole("link", { name: "Look inside" }).click();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.locator(".task-head").getByText("Canceled").waitFor();
  await page.getByRole("button", { name: "Cancel" }).waitFor({ state: "detached" });
});

async function withKeys(t: TestContext, run: Parameters<typeof agentOf>[0]): Promise<{ readonly server: Server; readonly key: string }> {
  const { key, line } = makeApiKey({ tenant: "acme", user: "ann" });
  const folder = mkdtempSync(join(tmpdir(), "ias-page-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "keys"), line);
  return { server: await serving(t, [agentOf(run)], { auth: { kind: "api-keys", file: join(folder, "keys") } }), key };
}

test("who would rather not give a key is not asked again until they wish", async (t) => {
  const { server, key } = await withKeys(t, async function* () {});
  const page = await open(server.url, { expected: LOST });
  const dialog = page.getByRole("dialog");
  await dialog.getByText("The server asks who you are").waitFor();
  await page.route("**/api/session", (route) => (route.request().method() === "POST" ? route.abort() : route.continue()));
  await dialog.getByLabel("Key").fill(key);
  await page.keyboard.press("Enter");
  await dialog.getByText("The server cannot be reached.").waitFor();
  await untilEqual(() => dialog.getByLabel("Key").inputValue(), key, "what may be right is not to be given twice");
  await page.unroute("**/api/session");
  await page.keyboard.press("Escape");
  await dialog.waitFor({ state: "hidden" });
  for (let refused = 0; refused < 3; refused += 1) await page.waitForResponse((response) => response.status() === 401);
  assert.equal(await dialog.count(), 0);
  assert.deepEqual(await seriousFindings(page), []);
  await page.getByRole("button", { name: "Give a key" }).click();
  await dialog.getByLabel("Key").fill(key);
  await page.keyboard.press("Enter");
  await page.getByText("Nothing runs.").waitFor();
});

test("a session that ends while a stream is watched is renewed there, and the stream goes on without a gap", async (t) => {
  const steps = stepped();
  const { server, key } = await withKeys(t, (_turn, signal) => steps.run(signal));
  const page = await open(`${server.url}/a/agent`, { expected: /Failed to load resource|WebSocket/ });
  const dialog = page.getByRole("dialog");
  await dialog.getByLabel("Key").fill(key);
  await page.keyboard.press("Enter");
  // While it is open, what is typed is its own.
  await dialog.waitFor({ state: "hidden" });
  await page.locator("[data-composer]").fill("go");
  await page.keyboard.press("Enter");
  steps.say("one ");
  await page.getByText("one").waitFor();
  await page.getByRole("link", { name: "Look inside" }).click();
  await page.keyboard.press("5");
  await page.getByText("Connected.").waitFor();
  await page.context().clearCookies();
  await page.getByRole("button", { name: "Cut the wire" }).click();
  await dialog.getByText("The server asks who you are").waitFor();
  steps.say("two ");
  await dialog.getByLabel("Key").fill(key);
  await page.keyboard.press("Enter");
  await dialog.waitFor({ state: "hidden" });
  await page.getByText("Connected.").waitFor();
  steps.say("three");
  await page.keyboard.press("1");
  await page.getByText("one two three").waitFor();
  await page.keyboard.press("5");
  for (const fact of ["missed", "repeated"]) assert.equal(await page.locator(`[data-fact=${fact}] dd`).innerText(), "0");
});

test("a page that was not loaded securely works as well", async (t) => {
  const agent = agentOf(async function* (turn) {
    yield { kind: "text", text: `You said ${turn.input.at(-1)?.parts[0]?.text}.` };
  });
  const server = await serving(t, [agent], {});
  const page = await open(`${server.url}/tasks`);
  // As browsers have it on http://host-of-the-network.
  await page.addInitScript(`delete Crypto.prototype.randomUUID; delete Navigator.prototype.clipboard;`);
  await page.goto(`${server.url}/a/agent`);
  assert.equal(await page.evaluate("crypto.randomUUID === undefined && navigator.clipboard === undefined"), true);
  await page.locator("input[type=file]").setInputFiles({ name: "a.txt", mimeType: "text/plain", buffer: Buffer.from("a") });
  await page.locator(".attachments .ready").waitFor();
  await page.getByRole("button", { name: "Take a.txt away" }).click();
  await page.locator("[data-composer]").fill("hello");
  await page.keyboard.press("Enter");
  await page.getByText("You said hello.").waitFor();
  await page.getByRole("link", { name: "Look inside" }).click();
  await page.keyboard.press("4");
  await page
    .getByRole("listbox", { name: /entries$/ })
    .getByRole("option")
    .first()
    .click();
  await page.getByRole("button", { name: "Copy as curl" }).click();
  await page.getByText("Copied.").waitFor();
});
