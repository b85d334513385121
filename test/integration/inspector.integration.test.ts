import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import type { Page } from "playwright-core";
import { createDemoAgents } from "../../src/lib/main/agents/demo-agents.ts";
import { PICTURES, seriousFindings, untilEqual, useBrowser } from "../support/browser.ts";
import { agentOf, rpcClient, serving } from "../support/serving.ts";
import { stepped } from "../support/stepped.ts";

// The inspector at `/` in a real browser: talking. Pictures of it go to a folder that git ignores, for people.

const { open } = useBrowser();

async function say(page: Page, text: string): Promise<void> {
  await page.locator("[data-composer]").fill(text);
  await page.getByRole("button", { name: "Send", exact: true }).click();
}

test("tokens are on the page one by one: each is made only after the one before was seen there", async (t) => {
  const steps = stepped();
  const server = await serving(t, [agentOf((_turn, signal) => steps.run(signal), { name: "Stepper" })]);
  const page = await open(`${server.url}/a/agent`);
  await say(page, "go");
  const answer = page.locator(".said.agent .md");
  const seenAt: number[] = [];
  let shown = "";
  for (let n = 0; n < 20; n += 1) {
    steps.say(`t${n} `);
    shown += `t${n} `;
    await answer.filter({ hasText: new RegExp(`^\\s*${shown.trimEnd()}\\s*$`) }).waitFor();
    seenAt.push(performance.now());
  }
  steps.end();
  await page.getByText("ended").waitFor();
  assert.equal(new Set(seenAt).size, 20);
  assert.deepEqual(await seriousFindings(page), []);
});

test("a task is canceled from the page", async (t) => {
  const steps = stepped();
  const server = await serving(t, [agentOf((_turn, signal) => steps.run(signal))]);
  const page = await open(`${server.url}/a/agent`);
  await say(page, "go");
  steps.say("something");
  await page.getByText("something").waitFor();
  await page.getByRole("button", { name: "Cancel" }).click();
  await page.getByText("Canceled.").waitFor();
  const { tasks } = await rpcClient(`${server.url}/a2a/agent`).must<{ readonly tasks: readonly { readonly status: { readonly state: string } }[] }>(
    "ListTasks",
    {},
  );
  assert.deepEqual(
    tasks.map((task) => task.status.state),
    ["TASK_STATE_CANCELED"],
  );
});

for (const [name, options] of [
  ["wide-light", { colorScheme: "light" }],
  ["wide-dark", { colorScheme: "dark" }],
  ["narrow-light", { colorScheme: "light", viewport: { width: 375, height: 700 } }],
  ["narrow-dark", { colorScheme: "dark", viewport: { width: 375, height: 700 } }],
] as const) {
  test(`the built-in agents: tools, an approval, two agents side by side (${name})`, async (t) => {
    const { agents } = await createDemoAgents({ tokenMs: 0 });
    const server = await serving(t, agents);
    const page = await open(`${server.url}/a/assistant`, options);
    const picture = (what: string) => page.screenshot({ path: join(PICTURES, `${name}-${what}.png`) });
    const words = (text: string) => page.locator(".md", { hasText: text }).waitFor();
    await page.getByRole("button", { name: "What time is it in Tokyo?" }).click();
    await words("Asia/Tokyo, UTC+9");
    await say(page, "Send a note to Ada: the tests are green");
    await page.getByRole("button", { name: "Approve" }).waitFor();
    await picture("talk-approval");
    assert.deepEqual(await seriousFindings(page), []);
    await page.getByRole("button", { name: "Approve" }).click();
    await words("was approved");
    // The conversation has an address.
    await page.waitForURL(/\/a\/assistant\?context=/);
    const address = page.url();
    await page.goto(`${server.url}/a/team?with=assistant`);
    await say(page, "Tell me about tide pools");
    await words("Here is what the researcher found");
    await words("scripted stand-in");
    await picture("talk-side-by-side");
    assert.deepEqual(await seriousFindings(page), []);
    assert.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true, "nothing is wider than the screen");
    await page.goto(address);
    await words("was approved");
    await page.getByText("Approved", { exact: true }).waitFor();
  });
}

test("what was said can be edited and said again", async (t) => {
  const agent = agentOf(async function* (turn) {
    yield { kind: "text", text: `You said ${turn.input.at(-1)?.parts[0]?.text}.` };
  });
  const server = await serving(t, [agent]);
  const page = await open(`${server.url}/a/agent`);
  await say(page, "one");
  await page.getByText("You said one.").waitFor();
  await page.getByRole("button", { name: "Edit and send again" }).click();
  await untilEqual(() => page.locator("[data-composer]").inputValue(), "one");
  await say(page, "two");
  await page.getByText("You said two.").waitFor();
  await untilEqual(() => page.locator(".turn").count(), 2);
});

test("who edits what was said finds the draft again: after the edit is sent, and when it is given up", async (t) => {
  const agent = agentOf(async function* (turn) {
    yield { kind: "text", text: `You said ${turn.input.at(-1)?.parts[0]?.text}.` };
  });
  const server = await serving(t, [agent]);
  const page = await open(`${server.url}/a/agent`);
  const field = page.locator("[data-composer]");
  const edit = page.getByRole("button", { name: "Edit and send again" }).first();
  await say(page, "one");
  await page.getByText("You said one.").waitFor();
  await field.fill("half a thought");
  await edit.click();
  await untilEqual(() => field.inputValue(), "one");
  await page.getByText("what you were writing comes back").waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  await page.getByRole("button", { name: "Give up" }).click();
  await untilEqual(() => field.inputValue(), "half a thought");
  await edit.click();
  await edit.click();
  await page.getByRole("button", { name: "Give up" }).click();
  await untilEqual(() => field.inputValue(), "half a thought");
  await edit.click();
  await say(page, "two");
  await page.getByText("You said two.").waitFor();
  await untilEqual(() => field.inputValue(), "half a thought");
  await page.getByRole("button", { name: "Give up" }).waitFor({ state: "detached" });
});

test("an agent's name, description, examples and words are text, never markup", async (t) => {
  const evil = `</script><script>window.pwned=1</script><img src=x onerror="window.pwned=1"><svg onload="window.pwned=1">{{facts}}$&`;
  const hostile = agentOf(
    async function* () {
      yield { kind: "tool-call", call: "1", name: evil, arguments: evil };
      yield { kind: "reasoning", text: evil };
      yield { kind: "text", text: `${evil}\n\n[link](javascript:window.pwned=1)\n\n![picture](http://127.0.0.1:1/x.png)` };
    },
    { name: evil, description: evil, skills: [{ id: "s", name: "s", description: evil, tags: [], examples: [evil] }] },
  );
  const server = await serving(t, [hostile]);
  const page = await open(`${server.url}/a/agent`);
  await page.locator(".empty button").click();
  await page.getByText("ended").waitFor();
  assert.equal(await page.evaluate("window.pwned ?? 0"), 0);
  assert.equal(await page.locator(".md img, .md svg, .md script").count(), 0);
  assert.equal(await page.locator("a[href^='javascript:']").count(), 0);
});

test("the first visit shows two agents talking, and says that it is a demonstration", async (t) => {
  const { agents } = await createDemoAgents({ tokenMs: 5 });
  const server = await serving(t, agents, { demo: true });
  const page = await open(`${server.url}/tasks`);
  await page.addInitScript(
    `window.shifted = 0; new PerformanceObserver((list) => { for (const entry of list.getEntries()) window.shifted += entry.value; }).observe({ type: "layout-shift", buffered: true });`,
  );
  await page.goto(server.url);
  const lines = page.getByRole("list", { name: "What they say" });
  for (const who of ["researcher", "team"]) await lines.locator(".who", { hasText: who }).first().waitFor();
  await page.getByText("A demonstration that this page began").waitFor();
  await lines.locator("code").first().waitFor();
  const shifted = Number(await page.evaluate("window.shifted"));
  assert.ok(shifted < 0.02, `what comes pushes nothing away: a layout shift of ${shifted}`);
  assert.deepEqual(await seriousFindings(page), []);
  const again = await open(server.url);
  await again.getByText("Recently").waitFor();
  const { tasks } = await rpcClient(`${server.url}/a2a/team`).must<{ readonly tasks: readonly unknown[] }>("ListTasks", {});
  assert.equal(tasks.length, 1, "another visit begins no other");
});

test("a server with agents of its own begins nothing by itself", async (t) => {
  const server = await serving(t, [agentOf(async function* () {}, { name: "Quiet" })]);
  const page = await open(server.url);
  await page.getByText("Nothing runs.").waitFor();
  const { tasks } = await rpcClient(`${server.url}/a2a/agent`).must<{ readonly tasks: readonly unknown[] }>("ListTasks", {});
  assert.deepEqual(tasks, []);
});

test("a task's head counts one token as one", async (t) => {
  const server = await serving(t, [
    agentOf(async function* () {
      yield { kind: "text", text: "Yes." };
    }),
  ]);
  const { task } = await rpcClient(`${server.url}/a2a/agent`).send("Well?");
  const page = await open(`${server.url}/t/agent/${task.id}`);
  await page.locator(".task-head").getByText("1 token", { exact: true }).waitFor();
});

test("tasks are found by agent, state and time, and each has an address", async (t) => {
  const { agents } = await createDemoAgents({ tokenMs: 0 });
  const server = await serving(t, agents);
  for (const [agent, text] of [
    ["assistant", "Roll 2d6"],
    ["team", "What is 12 * 12?"],
  ])
    await rpcClient(`${server.url}/a2a/${agent}`).send(text ?? "");
  const page = await open(`${server.url}/tasks`);
  const rows = page.locator("tbody tr");
  await rows.nth(1).waitFor();
  await page.getByLabel("Agent").selectOption("team");
  await page.getByText("1 task", { exact: true }).waitFor();
  // What was asked stands in the address.
  await page.waitForURL(/agent=team/);
  await page.getByLabel("State").selectOption("TASK_STATE_FAILED");
  await page.getByText("No task is like that.").waitFor();
  await page.getByRole("button", { name: "Show all" }).click();
  await rows.nth(1).waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  await page.getByRole("link", { name: "What is 12 * 12?" }).click();
  await page.waitForURL(/\/t\/team\//);
  await page.locator(".md", { hasText: "144" }).waitFor();
});

test("a foreign agent: its card is examined rule by rule, then it is talked to", async (t) => {
  const foreign = agentOf(
    async function* () {
      yield { kind: "text", text: "I am **foreign**." };
    },
    { id: "stranger", name: "Stranger" },
  );
  const there = await serving(t, [foreign]);
  const server = await serving(t, [agentOf(async function* () {})], { allowLocalTargets: true });
  const page = await open(`${server.url}/remotes`, { expected: /status of 4/ });
  await page.getByLabel("Address").fill("http://127.0.0.1:1/");
  await page.getByRole("button", { name: "Examine its card" }).click();
  await page.getByText("That agent was not reached").waitFor();
  await page.getByLabel("Address").fill(there.url);
  await page.getByRole("button", { name: "Examine its card" }).click();
  await page.getByText("keeps every MUST").waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  await page.getByRole("button", { name: "Talk to it" }).click();
  await page.getByText("Write below").or(page.locator("[data-composer]")).first().waitFor();
  await say(page, "who are you?");
  await page.locator(".md strong", { hasText: "foreign" }).waitFor();
});

test("a picture is attached, arrives, and is shown to both", async (t) => {
  const dot = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";
  const painter = agentOf(
    async function* (turn) {
      const file = turn.input.at(-1)?.parts.find((part) => part.mediaType === "image/png");
      const bytes = file === undefined ? new Uint8Array() : await turn.load(file);
      yield { kind: "text", text: `Got ${bytes.length} bytes.` };
      yield { kind: "artifact", artifact: { artifactId: "back", parts: [{ raw: dot, mediaType: "image/png", filename: "back.png" }] } };
    },
    { inputModes: ["*/*"] },
  );
  const server = await serving(t, [painter]);
  const page = await open(`${server.url}/a/agent`);
  await page.locator("input[type=file]").setInputFiles({ name: "dot.png", mimeType: "image/png", buffer: Buffer.from(dot, "base64") });
  await page.locator(".attachments .ready").waitFor();
  await say(page, "look at this");
  await page.getByText("Got 70 bytes.").waitFor();
  await page.locator(".said.agent img[alt='back.png']").waitFor();
  await page.locator(".said.user img[alt='dot.png']").waitFor();
  // Both are drawn, each a pixel wide.
  await untilEqual(() => page.evaluate("[...document.images].map((image) => image.complete && image.naturalWidth)"), [1, 1]);
});

test("an address where nothing is says so to a person with the ways on, and to a program as JSON", async (t) => {
  const server = await serving(t, [agentOf(async function* () {})]);
  const page = await open(server.url, { expected: /status of 404/ });
  const answer = await page.goto(`${server.url}/nowhere/at-all`);
  assert.equal(answer?.status(), 404);
  await page.getByRole("heading", { name: "Nothing is at this address" }).waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  await page.getByRole("link", { name: "all tasks", exact: true }).click();
  await page.getByRole("heading", { name: "Tasks" }).waitFor();
  const told = await fetch(`${server.url}/nowhere`);
  assert.equal(told.status, 404);
  assert.match(told.headers.get("content-type") ?? "", /json/);
  assert.match(await told.text(), /nothing at \/nowhere/);
});
