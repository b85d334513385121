import assert from "node:assert/strict";
import { join } from "node:path";
import test from "node:test";
import type { Page } from "playwright-core";
import { createDemoAgents } from "../../src/lib/main/agents/demo-agents.ts";
import { apiClient } from "../support/api-client.ts";
import { PICTURES, seriousFindings, untilEqual, useBrowser } from "../support/browser.ts";
import { readEvents } from "../support/event-source.ts";
import { agentOf, rpcClient, serving } from "../support/serving.ts";
import { stepped } from "../support/stepped.ts";

// The inspector's start and its list of tasks in a real browser: both are told by the feed.

const { open } = useBrowser();

/** An agent whose tasks are each stepped by what they were asked. */
function steppedAgents(...names: readonly string[]) {
  const steps = new Map(names.map((name) => [name, stepped()]));
  const agent = agentOf((turn, signal) => (steps.get(turn.input.at(-1)?.parts[0]?.text ?? "") ?? stepped()).run(signal), { name: "Stepper" });
  const of = (name: string) => steps.get(name) ?? assert.fail(`no steps of ${name}`);
  return { agent, say: (name: string, text: string) => of(name).say(text), end: (name: string) => of(name).end() };
}

/** Lists of tasks that the page asks for from now on. */
function countLists(page: Page): { readonly count: number } {
  const lists = { count: 0 };
  page.on("request", (request) => {
    if (new URL(request.url()).pathname === "/api/tasks") lists.count += 1;
  });
  return lists;
}

test("the start shows a new task, each of its tokens, and its end, and asks for no list again", async (t) => {
  const { agent, say, end } = steppedAgents("first", "second");
  const server = await serving(t, [agent]);
  const api = apiClient(server.url);
  await api.send("agent", "first");
  const page = await open(server.url);
  const row = (name: string) => page.locator(".row-link.live", { hasText: name });
  await row("first").waitFor();
  const lists = countLists(page);
  let words = "";
  for (let n = 0; n < 10; n += 1) {
    say("first", `t${n} `);
    words += `t${n} `;
    await row("first")
      .locator(".tail")
      .filter({ hasText: new RegExp(`^\\s*${words.trimEnd()}\\s*$`) })
      .waitFor();
  }
  await row("first").getByText("generating").waitFor();
  await api.send("agent", "second");
  await row("second").waitFor();
  say("second", "hello");
  await row("second").locator(".tail", { hasText: "hello" }).waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  end("first");
  await page.getByRole("region", { name: "Recently" }).getByText("first").waitFor();
  await row("first").waitFor({ state: "detached" });
  assert.equal(lists.count, 0);
});

test("of a stream that has run for long the start reads the end alone", async (t) => {
  const { agent, say } = steppedAgents("long");
  const server = await serving(t, [agent]);
  const { task } = await apiClient(server.url).send("agent", "long");
  for (let n = 0; n < 3000; n += 1) say("long", `token-${n} `);
  const page = await open(`${server.url}/t/agent/${task}`);
  await page.getByText("token-2999").waitFor();
  let received = 0;
  page.on("websocket", (socket) => socket.on("framereceived", ({ payload }) => (received += payload.length)));
  await page.goto(server.url);
  await page.locator(".tail", { hasText: "token-2999" }).waitFor();
  assert.ok(received < 100_000, `${received} bytes`);
});

test("tasks stand as they are: a row that is pointed at does not move when another task begins", async (t) => {
  const { agent, say, end } = steppedAgents("first", "second");
  const server = await serving(t, [agent]);
  const api = apiClient(server.url);
  await api.send("agent", "first");
  const page = await open(`${server.url}/tasks`);
  const rows = page.locator("tbody tr");
  await rows.filter({ hasText: "first" }).getByText("Working").waitFor();
  await rows.first().hover();
  const before = await rows.filter({ hasText: "first" }).boundingBox();
  await api.send("agent", "second");
  await page.getByRole("button", { name: "Show 1 new" }).waitFor();
  assert.deepEqual(await rows.filter({ hasText: "first" }).boundingBox(), before);
  say("first", "word");
  end("first");
  await rows.filter({ hasText: "first" }).getByText("Completed").waitFor();
  assert.equal(await rows.count(), 1);
  await page.mouse.move(2, 2);
  await rows.nth(1).waitFor();
  await rows.first().filter({ hasText: "second" }).waitFor();
  await page.screenshot({ path: join(PICTURES, "wide-light-tasks.png") });
  assert.deepEqual(await seriousFindings(page), []);
});

for (const [words, minutes] of [
  ["ahead of", 10],
  ["behind", -10],
] as const) {
  test(`a browser whose clock is ${words} the server's by ten minutes sees a live stream as what it is`, async (t) => {
    const { agent, say, end } = steppedAgents("first", "over");
    const server = await serving(t, [agent]);
    const api = apiClient(server.url);
    end("over");
    await api.send("agent", "over");
    await api.send("agent", "first");
    const page = await open("about:blank");
    await page.addInitScript(
      `{ const off = ${minutes * 60_000}; const now = Date.now; Date.now = () => now() + off; const origin = performance.timeOrigin;
        Object.defineProperty(performance, "timeOrigin", { get: () => origin + off }); }`,
    );
    await page.goto(server.url);
    await page.getByRole("region", { name: "Recently" }).getByText("just now").waitFor();
    const row = page.locator(".row-link.live");
    // The page's clock ticks four times a second: a stream that looked silent would be called stalled long before the last of these words.
    for (let n = 0; n < 40; n += 1) {
      say("first", `t${n} `);
      await row.locator(".tail", { hasText: `t${n}` }).waitFor();
      await page.evaluate("new Promise((done) => setTimeout(done, 30))");
      if (n === 0) await row.locator(".pill", { hasText: "generating" }).waitFor();
      assert.equal(await row.locator(".pill").innerText(), "generating");
    }
    await row.click();
    await page.locator(".md", { hasText: "t39" }).waitFor();
    say("first", "more");
    await page.locator(".md", { hasText: "more" }).waitFor();
    await page.evaluate("new Promise((done) => setTimeout(done, 600))");
    assert.equal(await page.locator(".task-head .pill").innerText(), "generating");
  });
}

test("a stream's file is opened from the start when the server has gone, chosen or dropped, and says what in it is wrong", async (t) => {
  const { agent, say, end } = steppedAgents("exported");
  const server = await serving(t, [agent]);
  const { task } = await apiClient(server.url).send("agent", "exported");
  say("exported", "kept words");
  end("exported");
  await readEvents(`${server.url}/api/tasks/${task}/events`, { until: ({ type }) => type === "end" });
  const file = await (await fetch(`${server.url}/api/tasks/${task}/export`)).text();
  const page = await open(server.url, { expected: /net::ERR_|WebSocket connection/ });
  // What is likely to be opened is fetched once the page is quiet.
  const isFetched = () => page.evaluate("performance.getEntriesByType('resource').some(({ name }) => name.includes('/assets/check-'))");
  await untilEqual(isFetched, true);
  await server.drain({ graceMs: 0 });
  await page.getByLabel("A stream's file").setInputFiles({ name: "stream.ndjson", mimeType: "application/x-ndjson", buffer: Buffer.from(file) });
  await page.waitForURL(/\/t\/~file\//);
  await page.getByRole("group", { name: /^Timeline of 1 lane/ }).waitFor();
  await page.getByRole("link", { name: "Conversation" }).click();
  await page.getByText("kept words").waitFor();
  await page.getByRole("link", { name: "Frames" }).click();
  await page.getByText("No rule broken").waitFor();

  await page.getByRole("link", { name: "Home" }).first().click();
  const drop = (text: string) =>
    page.evaluate(
      `{ const data = new DataTransfer(); data.items.add(new File([${JSON.stringify(text)}], "stream.ndjson"));
         document.body.dispatchEvent(new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true })); }`,
    );
  await drop("nonsense");
  await page.getByText("stream.ndjson cannot be opened: Line 1 is not a JSON object").waitFor();
  await drop(`${file}broken`);
  await page.waitForURL(/\/t\/~file\//);
  await page.getByText(/Line \d+ is not a JSON object/).waitFor();
});

for (const colorScheme of ["light", "dark"] as const) {
  test(`on a phone each task is a card, and nothing is wider than the screen (${colorScheme})`, async (t) => {
    const { agents } = await createDemoAgents({ tokenMs: 0 });
    const long = agentOf(async function* () {}, { id: "long", name: "An agent with a name that is longer than any list has room for" });
    const server = await serving(t, [...agents, long], { allowLocalTargets: true });
    for (const [agent, text] of [
      ["assistant", "Roll 2d6, and tell me in a long sentence what came of it, so that there is more than one line to show"],
      ["team", "What is 12 * 12?"],
    ] as const)
      await rpcClient(`${server.url}/a2a/${agent}`).send(text);
    const page = await open(`${server.url}/tasks`, { colorScheme, viewport: { width: 360, height: 740 } });
    await page.locator("tbody tr").nth(1).waitFor();
    const isWithin = () => page.evaluate("document.documentElement.scrollWidth <= innerWidth");
    const cells = page.locator("tbody tr").first().locator("td:visible");
    for (const cell of await cells.all()) {
      const box = await cell.boundingBox();
      assert.ok(box !== null && box.x >= 0 && box.x + box.width <= 360, await cell.innerText());
    }
    assert.equal(await isWithin(), true);
    assert.deepEqual(await seriousFindings(page), []);
    await page.screenshot({ path: join(PICTURES, `narrow-${colorScheme}-tasks.png`), fullPage: true });
    for (const [path, name] of [
      ["/", "home"],
      ["/remotes", "any-agent"],
    ] as const) {
      await page.goto(server.url + path);
      await page.getByRole("heading", { level: 1 }).waitFor();
      if (name === "home") await page.getByRole("region", { name: "Recently" }).waitFor();
      else {
        await page.getByLabel("Address").fill(server.url);
        await page.getByRole("button", { name: "Examine its card" }).click();
        await page.getByText(/keeps every MUST|breaks a MUST/).waitFor();
      }
      assert.equal(await isWithin(), true, path);
      assert.deepEqual(await seriousFindings(page), []);
      await page.screenshot({ path: join(PICTURES, `narrow-${colorScheme}-${name}.png`), fullPage: true });
      await page.setViewportSize({ width: 1280, height: 800 });
      await page.screenshot({ path: join(PICTURES, `wide-${colorScheme}-${name}.png`), fullPage: true });
      await page.setViewportSize({ width: 360, height: 740 });
    }
  });
}
