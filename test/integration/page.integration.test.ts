import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before, type TestContext } from "node:test";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { createDemoAgents } from "../../src/lib/main/agents/demo-agents.ts";
import type { Server } from "../../src/lib/main/server.ts";
import { makeApiKey } from "../../src/lib/tenancy/api-keys.ts";
import type { AgentEvent } from "../../src/lib/engine/engine.ts";
import { engine } from "../support/engines.ts";
import { agentOf, rpcClient, serving } from "../support/serving.ts";
import { root } from "../support/tree.ts";

// The page at `/` in a real browser. Pictures of it go to a folder that git ignores, for people.

const { browser: executablePath } = engine("chromium");
const PICTURES = join(root, "screenshots");
/** Not hung. */
const TIMEOUT = 30_000;

let browser: Browser;
before(async () => {
  mkdirSync(PICTURES, { recursive: true });
  const args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  browser = await chromium.launch({ executablePath, args });
});
after(() => browser.close());

/** The page, whose errors and blocked scripts fail the test when it ends; a browser counts an answer of 401 as an error, which may be `expected`. */
async function open(t: TestContext, url: string, options: BrowserContextOptions = {}, expected?: RegExp): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1000, height: 800 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT);
  const errors: string[] = [];
  page.on("pageerror", (error) => errors.push(error.message));
  page.on("console", (line) => line.type() === "error" && expected?.test(line.text()) !== true && errors.push(line.text()));
  t.after(async () => {
    await context.close();
    assert.deepEqual(errors, []);
  });
  await page.goto(url);
  return page;
}

async function say(page: Page, text: string): Promise<void> {
  await page.getByLabel("Message").fill(text);
  await page.getByRole("button", { name: "Send" }).click();
}

const state = (page: Page, name: string): Promise<void> => page.locator("#state", { hasText: new RegExp(`^${name}$`) }).waitFor();

/** An agent that says a token only when it is told to. */
function stepped(): { readonly run: (signal: AbortSignal) => AsyncGenerator<AgentEvent>; say(text: string): void; end(): void } {
  const waiting: { text: string | undefined }[] = [];
  let wake = Promise.withResolvers<void>();
  const push = (text: string | undefined): void => {
    waiting.push({ text });
    wake.resolve();
  };
  return {
    async *run(signal) {
      const aborted = new Promise<void>((resolve) => signal.addEventListener("abort", () => resolve(), { once: true }));
      while (!signal.aborted) {
        const next = waiting.shift();
        if (next === undefined) {
          await Promise.race([wake.promise, aborted]);
          wake = Promise.withResolvers();
        } else if (next.text === undefined) return;
        else yield { kind: "text", text: next.text };
      }
    },
    say: push,
    end: () => push(undefined),
  };
}

test("tokens are on the page one by one: each is made only after the one before was seen there", async (t) => {
  const steps = stepped();
  const server = await serving(t, [agentOf((_turn, signal) => steps.run(signal), { name: "Stepper" })]);
  const page = await open(t, server.url);
  await say(page, "go");
  const answer = page.locator(".agent p");
  let shown = "";
  for (let n = 0; n < 20; n += 1) {
    steps.say(`t${n} `);
    shown += `t${n} `;
    await answer.filter({ hasText: new RegExp(`^${shown.trimEnd()}\\s*$`) }).waitFor();
  }
  steps.end();
  await state(page, "Completed");
  assert.equal(await answer.textContent(), shown);
});

test("after the wire is cut the page goes on with the very next entry", async (t) => {
  const steps = stepped();
  const server = await serving(t, [agentOf((_turn, signal) => steps.run(signal))]);
  const page = await open(t, server.url);
  await say(page, "go");
  steps.say("before ");
  await page.getByText("before").waitFor();
  await page.getByRole("button", { name: "Cut the wire" }).click();
  await page.getByText("wire cut").waitFor();
  for (const text of ["while ", "cut "]) steps.say(text);
  const resumed = page.locator(".note.wire");
  await resumed.waitFor();
  // What the page had: the Task, WORKING and the first piece of the answer.
  assert.match((await resumed.textContent()) ?? "", /^resumed after 3 entries, with the next one/);
  steps.say("after");
  steps.end();
  await state(page, "Completed");
  assert.equal((await page.locator(".agent p").allTextContents()).join(""), "before while cut after");
});

test("a task is canceled from the page", async (t) => {
  const steps = stepped();
  const server = await serving(t, [agentOf((_turn, signal) => steps.run(signal))]);
  const page = await open(t, server.url);
  await say(page, "go");
  steps.say("something");
  await page.getByText("something").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await state(page, "Canceled");
  const { tasks } = await rpcClient(`${server.url}/a2a/agent`).must<{ readonly tasks: readonly { readonly status: { readonly state: string } }[] }>(
    "ListTasks",
    {},
  );
  assert.deepEqual(
    tasks.map((task) => task.status.state),
    ["TASK_STATE_CANCELED"],
  );
  assert.ok(await page.getByRole("button", { name: "Send" }).isEnabled());
});

async function withKeys(t: TestContext): Promise<{ readonly server: Server; readonly key: string }> {
  const { key, line } = makeApiKey({ tenant: "acme", user: "ann" });
  const folder = mkdtempSync(join(tmpdir(), "ias-page-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "keys"), line);
  const agent = agentOf(async function* (turn) {
    yield { kind: "text", text: `Hello, ${turn.principal.user}.` };
  });
  return { server: await serving(t, [agent], { auth: { kind: "api-keys", file: join(folder, "keys") } }), key };
}

for (const [name, options] of [
  ["wide-light", { colorScheme: "light" }],
  ["narrow-dark", { colorScheme: "dark", viewport: { width: 375, height: 700 } }],
] as const) {
  test(`where keys are needed the page asks for one, says when it is wrong, and keeps it to itself (${name})`, async (t) => {
    const { server, key } = await withKeys(t);
    const page = await open(t, server.url, options, /status of 401/);
    const urls: string[] = [];
    page.on("request", (request) => urls.push(request.url()));
    const field = page.locator("#key");
    assert.equal(await field.isVisible(), false);
    await say(page, "hello");
    await page.getByLabel("The server asks who you are").fill("no-such-key");
    await page.screenshot({ path: join(PICTURES, `${name}-5-key.png`) });
    await field.press("Enter");
    await page.getByLabel("The server does not take this key").fill(key);
    await page.screenshot({ path: join(PICTURES, `${name}-6-other-key.png`) });
    assert.deepEqual(await page.evaluate("[scrollX, document.documentElement.scrollWidth <= innerWidth]"), [0, true], "nothing is wider than the screen");
    await page.getByRole("button", { name: "Use it" }).click();
    await page.getByText("Hello, ann.").waitFor();
    await state(page, "Completed");
    assert.deepEqual([await field.isVisible(), await field.inputValue()], [false, ""]);
    await say(page, "again");
    await page.getByText("Hello, ann.").nth(1).waitFor();
    await state(page, "Completed");
    const kept = await page.evaluate("JSON.stringify([location.href, document.cookie, { ...localStorage }, { ...sessionStorage }])");
    assert.deepEqual(
      [...urls, String(kept)].filter((text) => text.includes(key)),
      [],
    );
    assert.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true, "nothing is wider than the screen");
  });
}

test("who has no key can leave it at that, and is asked again with the next message", async (t) => {
  const { server } = await withKeys(t);
  const page = await open(t, server.url, {}, /status of 401/);
  await say(page, "hello");
  await page.getByLabel("The server asks who you are").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("answers nobody without a key").waitFor();
  await state(page, "Error");
  assert.equal(await page.locator("#key").isVisible(), false);
  await say(page, "hello");
  await page.getByLabel("The server asks who you are").waitFor();
});

for (const [name, options] of [
  ["wide-light", { colorScheme: "light" }],
  ["wide-dark", { colorScheme: "dark" }],
  ["narrow-light", { colorScheme: "light", viewport: { width: 375, height: 700 } }],
  ["narrow-dark", { colorScheme: "dark", viewport: { width: 375, height: 700 } }],
] as const) {
  test(`the built-in agents on the page: tools, an approval, a hand-off (${name})`, async (t) => {
    const { agents } = await createDemoAgents({ tokenMs: 0 });
    const server = await serving(t, agents);
    const page = await open(t, server.url, options);
    const picture = (what: string) => page.screenshot({ path: join(PICTURES, `${name}-${what}.png`) });
    await picture("1-start");
    await page.getByRole("button", { name: "What time is it in Tokyo?" }).click();
    await page.getByText("Asia/Tokyo, UTC+9").waitFor();
    await say(page, "Send a note to Ada: the tests are green");
    await page.getByRole("button", { name: "Approve" }).waitFor();
    await picture("2-approval");
    await page.getByRole("button", { name: "Approve" }).click();
    await page.getByText("was approved").waitFor();
    await state(page, "Completed");
    await say(page, "hello");
    await page.getByText("scripted stand-in").waitFor();
    await picture("3-talk");
    await page.getByRole("radio", { name: "Team" }).click();
    await say(page, "Tell me about tide pools");
    await page.getByText("Here is what the researcher found").waitFor();
    await state(page, "Completed");
    await picture("4-team");
    assert.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true, "nothing is wider than the screen");
  });
}

test("an agent's name, description, examples and words are text, never markup, and its facts never end their element", async (t) => {
  const evil = `</script><script>document.title="pwned"</script><img src=x onerror="document.title='pwned'">{{facts}}$&`;
  const hostile = agentOf(
    async function* () {
      yield { kind: "tool-call", call: "1", name: evil, arguments: evil };
      yield { kind: "text", text: evil };
    },
    { name: evil, description: evil, skills: [{ id: "s", name: "s", description: evil, tags: [], examples: [evil] }] },
  );
  const server = await serving(t, [hostile]);
  const page = await open(t, server.url);
  await page.locator("#examples button").click();
  await state(page, "Completed");
  assert.equal(await page.title(), "Infinite Agent Streams");
  assert.equal(await page.locator("#agents button").textContent(), evil);
  assert.equal(await page.locator(".agent p").textContent(), evil);
  assert.equal(await page.locator("img").count(), 0);
});
