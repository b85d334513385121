import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import type { Locator, Page } from "playwright-core";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { scripted, type ScriptStep } from "../../src/lib/engine/scripted.ts";
import type { SendReply } from "../../src/lib/model/api.ts";
import { PICTURES, seriousFindings, until, untilEqual, useBrowser } from "../support/browser.ts";
import { agentOf, serving } from "../support/serving.ts";
import { stepped } from "../support/stepped.ts";

// The inspector's views of streams in a real browser: lanes, sequence, frames, replay, the wire, readers.

const { open } = useBrowser();

async function send(url: string, agent: string, text = "go"): Promise<string> {
  const body = JSON.stringify({ messageId: crypto.randomUUID(), parts: [{ text }] });
  const response = await fetch(`${url}/api/agents/${agent}/messages`, { method: "POST", headers: { "content-type": "application/json" }, body });
  const reply = (await response.json()) as SendReply;
  assert.ok("task" in reply, JSON.stringify(reply));
  return reply.task;
}

const path = ["researcher"];
const FAMILY: readonly ScriptStep[] = [
  { kind: "reasoning", text: "I should ask." },
  { kind: "tool-call", call: "c1", name: "ask_researcher", arguments: '{"topic":"tide pools"}', idempotent: true },
  { kind: "delegation", from: "family", to: "researcher", via: "tool", path },
  ...Array.from({ length: 30 }, (_, index): ScriptStep => ({ kind: "text", text: `point ${index} `, path })),
  { kind: "tool-result", call: "c1", name: "ask_researcher", output: "thirty points" },
  { kind: "say", text: "Here is what was found." },
];
const family = () => defineAgent({ id: "family", engine: scripted(FAMILY, { tokenMs: 0 }) });

/** The number in a cell of the table of lanes. */
async function tokensOf(page: Page, lane: string): Promise<number> {
  return Number(await page.getByRole("row").filter({ hasText: lane }).getByRole("cell").nth(1).innerText());
}

/** How many pixels of a canvas are painted in about the colour of tokens. */
async function tokenPixels(canvas: Locator): Promise<number> {
  return canvas.evaluate((element) => {
    const picture = element as unknown as {
      width: number;
      height: number;
      getContext(kind: "2d"): { getImageData(...area: number[]): { data: Uint8ClampedArray } };
    };
    const { data } = picture.getContext("2d").getImageData(0, 0, picture.width, picture.height);
    let count = 0;
    for (let at = 0; at < data.length; at += 4) if ((data[at + 1] ?? 0) > (data[at] ?? 0) + 60 && (data[at + 3] ?? 0) > 250) count += 1;
    return count;
  });
}

test("ticks appear live: each token is on the lane before the next one is made", async (t) => {
  const steps = stepped();
  const server = await serving(t, [agentOf((_turn, signal) => steps.run(signal), { name: "Stepper" })]);
  const task = await send(server.url, "agent");
  const page = await open(`${server.url}/t/agent/${task}?view=lanes`);
  const canvas = page.locator(".lanes canvas");
  await page.getByRole("button", { name: "Table" }).click();
  for (let n = 1; n <= 10; n += 1) {
    steps.say(`t${n} `);
    await until(async () => (await tokensOf(page, "agent")) === n, `${n} tokens`);
  }
  await page.getByRole("button", { name: "Table" }).click();
  await until(async () => (await tokenPixels(canvas)) > 0, "painted tokens");
  steps.end();
  await page.getByText("ended").first().waitFor();
  assert.deepEqual(await seriousFindings(page), []);
});

test("a child stands under its parent, and the pointer finds the very entry", async (t) => {
  const server = await serving(t, [family()]);
  const task = await send(server.url, "family");
  const page = await open(`${server.url}/t/family/${task}?view=lanes`);
  await page.getByRole("button", { name: "Table" }).click();
  await until(async () => (await page.getByRole("row").count()) === 3 && (await tokensOf(page, "researcher")) === 30, "two lanes and thirty points");
  await page.getByRole("button", { name: "Table" }).click();
  const plot = page.getByRole("group", { name: /^Timeline of 2 lanes/ });
  // By the pointer: the sign of the first entry, at the left of the first lane.
  const box = await page.locator(".lanes canvas").boundingBox();
  assert.ok(box);
  await until(async () => {
    await page.mouse.move(box.x + 23, box.y + 40);
    await page.mouse.move(box.x + 24, box.y + 41);
    return (await page.locator(".lanes-tip").filter({ hasText: "#" }).count()) === 1;
  }, "a tip under the pointer");
  await plot.focus();
  // By keys: the second lane, its first token, and the entry of it.
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("Shift+ArrowRight");
  const tip = page.locator(".lanes-tip");
  await tip.filter({ hasText: "researcher: point" }).waitFor();
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: /^Entry \d+ text/ }).waitFor();
  await page.waitForURL(/view=frames&at=\d+/);
});

test("a replay's link shows a colleague the very moment", async (t) => {
  const server = await serving(t, [family()]);
  const task = await send(server.url, "family");
  const page = await open(`${server.url}/t/family/${task}?view=frames`);
  // An entry that has not come cannot be gone to.
  await page.getByText("Completed", { exact: true }).first().waitFor();
  await page.getByLabel("Entry", { exact: true }).fill("20");
  await page.keyboard.press("Enter");
  await page.getByRole("heading", { name: "Entry 20" }).waitFor();
  await page.waitForURL(/[?&]at=20\b/);
  const link = page.url();
  const other = await open(link);
  await other.getByRole("heading", { name: "Entry 20" }).waitFor();
  const selected = other.getByRole("listbox", { name: /entries$/ }).getByRole("option", { selected: true });
  await untilEqual(() => selected.evaluateAll((options) => options.map(({ id }) => id)), ["frame-20"]);
  // And plays on from there, to the end.
  await other.getByLabel("Speed").selectOption("50");
  await other.keyboard.press("Escape");
  await other.getByRole("button", { name: /Replay/ }).click();
  await until(async () => Number(/at=(\d+)/.exec(other.url())?.[1]) > 20, "a later moment");
});

test("what frames are filtered by stands in the address: a reload, another view and a link keep it", async (t) => {
  const server = await serving(t, [family()]);
  const task = await send(server.url, "family");
  const page = await open(`${server.url}/t/family/${task}?view=frames`);
  const field = page.getByLabel("Filter and search");
  const oneRow = (at: Page) => until(async () => (await at.locator(".frame-row").count()) === 1, "one row");
  await field.fill("kind:tool-call audience:internal tide");
  await oneRow(page);
  await page.waitForURL(/[?&]q=kind/);
  await page.reload();
  await oneRow(page);
  await untilEqual(() => field.inputValue(), "kind:tool-call audience:internal tide");
  await page.getByRole("link", { name: "Wire" }).click();
  await page.getByRole("link", { name: "Frames" }).click();
  await oneRow(page);
  const other = await open(page.url());
  await oneRow(other);
  await field.fill("");
  await page.waitForURL((url) => !url.searchParams.has("q"));
  await until(async () => (await page.locator(".frame-row").count()) > 1, "all rows");
});

test("a replay is one moment for every view: numbers, words, lanes and sequence are those of then, also after a reload", async (t) => {
  const server = await serving(t, [family()]);
  const task = await send(server.url, "family");
  const page = await open(`${server.url}/t/family/${task}?at=20`);
  const exported = await fetch(`${server.url}/api/tasks/${task}/export`);
  const entries = (await exported.text()).trimEnd().split("\n").slice(1);
  const points = entries.slice(0, 20).filter((line) => line.includes("point")).length;
  assert.ok(points > 5 && points < 20);
  // Until the whole stream is here the end is not known.
  const head = page.locator(".task-head");
  await head.getByText(`20 of ${entries.length} entries`).waitFor();
  await page.getByText(`point ${points - 1}`).waitFor();
  assert.equal(await page.getByText(`point ${points} `).count(), 0);
  assert.equal(await page.getByText("Here is what was found.").count(), 0);
  assert.deepEqual(await seriousFindings(page), []);
  await page.keyboard.press(".");
  await page.getByText(`point ${points}`).waitFor();
  await page.keyboard.press(",");
  await page.keyboard.press("2");
  await page.getByRole("button", { name: "Table" }).click();
  await until(async () => (await tokensOf(page, "researcher")) === points, "the tokens of then");
  await page.waitForURL(/[?&]at=20\b/);
  await page.reload();
  await head.getByText(`20 of ${entries.length} entries`).waitFor();
  await page.keyboard.press("3");
  await page.getByRole("button", { name: new RegExp(`^researcher to family: answer: point 0 .*, ${points} entries`) }).waitFor();
  assert.equal(await page.getByRole("button", { name: /Here is what was found/ }).count(), 0);
  await page.keyboard.press("5");
  await page.getByText("The replay stands at entry 20").waitFor();
  await head.getByText(new RegExp(`^${entries.length} entries`)).waitFor();
  await page.keyboard.press("1");
  await page.getByRole("button", { name: "To the end" }).click();
  await page.getByText("Here is what was found.").waitFor();
  await page.waitForURL((url) => !url.searchParams.has("at"));
});

test("the wire is cut while tokens come: none is missed, none comes twice", async (t) => {
  const steps = stepped();
  const server = await serving(t, [agentOf((_turn, signal) => steps.run(signal))]);
  const task = await send(server.url, "agent");
  const page = await open(`${server.url}/t/agent/${task}?view=wire`);
  const fact = (name: string): Locator => page.locator(`[data-fact="${name}"] dd`);
  steps.say("before ");
  await page.getByText("Connected.").waitFor();
  for (let cut = 1; cut <= 3; cut += 1) {
    await page.getByLabel("Come back").selectOption("0");
    await page.getByRole("button", { name: "Cut the wire" }).click();
    // Made while nobody listens, or just after.
    for (let n = 0; n < 20; n += 1) steps.say(`c${cut}n${n} `);
    await untilEqual(() => fact("cuts").innerText(), String(cut));
  }
  assert.deepEqual([await fact("missed").innerText(), await fact("repeated").innerText()], ["0", "0"]);
  await page.getByText("no entry is missing and none came twice").waitFor();
  steps.end();
  await page.getByText("The stream is sealed").waitFor();
  assert.deepEqual([await fact("missed").innerText(), await fact("repeated").innerText()], ["0", "0"]);
  assert.deepEqual(await seriousFindings(page), []);
});

test("who told whom what is drawn, and an arrow opens its entries", async (t) => {
  const server = await serving(t, [family()]);
  const task = await send(server.url, "family");
  const page = await open(`${server.url}/t/family/${task}?view=sequence`);
  await page.getByRole("button", { name: /^family to ask_researcher: call/ }).waitFor();
  await page.getByRole("button", { name: /^researcher to family: answer: point 0 .*30 entries/ }).click();
  const entries = page.getByRole("region", { name: "The arrow's entries" });
  await entries.getByText("30 entries").waitFor();
  await untilEqual(() => entries.getByRole("listitem").count(), 30);
  assert.deepEqual(await seriousFindings(page), []);
  await entries.getByRole("link").nth(4).click();
  await page.getByRole("heading", { name: /^Entry \d+ text/ }).waitFor();
});

test("a sequence is walked by keys alone: from arrow to arrow, into one and out, to the last", async (t) => {
  const server = await serving(t, [family()]);
  const task = await send(server.url, "family");
  const page = await open(`${server.url}/t/family/${task}?view=sequence`);
  await page.getByRole("button", { name: /completed/ }).waitFor();
  const focused = async (): Promise<string> => page.evaluate<string>("document.activeElement.textContent");
  await page.getByRole("region", { name: /^Sequence of/ }).focus();
  await page.keyboard.press("ArrowDown");
  await until(async () => (await focused()).startsWith("user to family: message"), "the first arrow");
  await page.keyboard.press("ArrowDown");
  await page.keyboard.press("ArrowDown");
  await until(async () => (await focused()).startsWith("family to ask_researcher: call"), "the third arrow");
  await page.keyboard.press("Enter");
  const entries = page.getByRole("region", { name: "The arrow's entries" });
  await entries.waitFor();
  await page.keyboard.press("Escape");
  await entries.waitFor({ state: "detached" });
  await until(async () => (await focused()).startsWith("family to ask_researcher: call"), "the third arrow, which keeps the keyboard");
  await page.keyboard.press("End");
  await until(async () => (await focused()).includes("completed"), "the last arrow");
});

test("a finger's first tap on a lane shows the entry, its second opens it; the axis takes the replay there", async (t) => {
  const server = await serving(t, [family()]);
  const task = await send(server.url, "family");
  const page = await open(`${server.url}/t/family/${task}?view=lanes`, { hasTouch: true, viewport: { width: 390, height: 844 } });
  await page.getByText("ended").first().waitFor();
  const canvas = page.locator(".lanes canvas");
  // The lanes listen to fingers from when they are drawn.
  await until(async () => (await tokenPixels(canvas)) > 0, "painted tokens");
  const box = await canvas.boundingBox();
  assert.ok(box);
  await page.touchscreen.tap(box.x + 200, box.y + 8);
  await page.waitForURL(/[?&]at=\d+/);
  await page.getByRole("button", { name: "To the end" }).click();
  await page.waitForURL((url) => !url.searchParams.has("at"));
  const tip = page.locator(".lanes-tip").filter({ hasText: "#1" });
  await page.touchscreen.tap(box.x + 24, box.y + 70);
  await tip.waitFor();
  assert.match(page.url(), /view=lanes/, "the first tap opens nothing");
  await page.touchscreen.tap(box.x + 24, box.y + 70);
  await page.getByRole("heading", { name: "Entry 1 task" }).waitFor();
});

test("frames are searched and judged; a stream is exported, changed by hand, and opened again with the rules that it breaks", async (t) => {
  const server = await serving(t, [family()]);
  const task = await send(server.url, "family");
  const page = await open(`${server.url}/t/family/${task}?view=frames`);
  await page.getByRole("button", { name: "No rule broken" }).waitFor();
  await page.getByLabel("Filter and search").fill("kind:tool-call audience:internal tide");
  await until(async () => (await page.locator(".frame-row").count()) === 1, "one row");
  await page.locator(".frame-row").click();
  await page.getByText("It breaks no rule").waitFor();
  assert.deepEqual(await seriousFindings(page), []);

  const [download] = await Promise.all([page.waitForEvent("download"), page.getByRole("button", { name: "Export" }).click()]);
  const text = readFileSync(await download.path(), "utf8");
  const lines = text.trimEnd().split("\n");
  const broken = lines.map((line, index) => (index === 5 ? line.replace('"taskId"', '"task_id"') : line)).join("\n");
  await page.locator('input[type="file"]').setInputFiles({ name: "stream.ndjson", mimeType: "application/x-ndjson", buffer: Buffer.from(broken) });
  await page.waitForURL(/\/t\/~file\//);
  await page.getByRole("link", { name: "Frames" }).click();
  await page.getByRole("button", { name: /break rules/ }).click();
  await page.locator(".frame-row").first().click();
  await page.getByText("A2A 5.5").waitFor();
  await page.getByText("Names in JSON are camelCase").waitFor();
});

test("a file of 100,000 entries is opened without a server's help, scrolled to its end and searched, with a screenful of rows in the page", async (t) => {
  const ids = { taskId: "long", contextId: "c" };
  const entry = (seq: number, event: object): string =>
    JSON.stringify({ seq, gen: seq, at: 1_800_000_000_000 + seq * 20, attempt: 1, audience: "public", event });
  const lines = [
    JSON.stringify({ format: "ias-stream/1", agent: "writer", task: "long" }),
    entry(1, { task: { id: "long", contextId: "c", status: { state: "TASK_STATE_WORKING" } } }),
  ];
  for (let seq = 2; seq <= 100_000; seq += 1) {
    const text = seq === 99_998 ? "needle " : `t${seq} `;
    lines.push(entry(seq, { artifactUpdate: { ...ids, artifact: { artifactId: "answer", parts: [{ text }] }, append: seq > 2 } }));
  }
  const server = await serving(t, [family()]);
  const task = await send(server.url, "family");
  const page = await open(`${server.url}/t/family/${task}?view=frames`);
  await page.getByRole("button", { name: "No rule broken" }).waitFor();
  // From disk: through the browser's debugger so much takes longer than the page does.
  const folder = mkdtempSync(join(tmpdir(), "ias-long-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "long.ndjson"), lines.join("\n"));
  await page.locator('input[type="file"]').setInputFiles(join(folder, "long.ndjson"));
  await page.waitForURL(/\/t\/~file\//);
  await page.getByRole("link", { name: "Frames" }).click();
  const list = page.getByRole("listbox", { name: "100000 entries" });
  await list.focus();
  await page.keyboard.press("End");
  await page.getByRole("heading", { name: "Entry 100000" }).waitFor();
  await page.keyboard.press("Home");
  await page.getByRole("heading", { name: "Entry 1 task" }).waitFor();
  assert.ok((await page.locator(".frame-row").count()) < 80);
  await page.getByLabel("Filter and search").fill("needle");
  await until(async () => (await page.locator(".frame-row").count()) === 1, "the only hit");
  await page.getByRole("button", { name: "No rule broken" }).waitFor();
});

test("readers are listed with their transports", async (t) => {
  const steps = stepped();
  const server = await serving(t, [agentOf((_turn, signal) => steps.run(signal))]);
  const task = await send(server.url, "agent");
  const leave = new AbortController();
  t.after(() => leave.abort());
  const other = await fetch(`${server.url}/api/tasks/${task}/events`, { signal: leave.signal });
  assert.equal(other.status, 200);
  const page = await open(`${server.url}/t/agent/${task}?view=readers`);
  await page.getByRole("rowheader", { name: "events of /api" }).waitFor();
  await until(async () => (await page.getByRole("rowheader").count()) >= 2, "the page itself as a reader");
  assert.deepEqual(await seriousFindings(page), []);
  steps.end();
});

test("fifty agents at once have fifty lanes, all on one connection", async (t) => {
  const agents = Array.from({ length: 50 }, (_, index) =>
    defineAgent({ id: `agent-${index}`, engine: scripted([{ kind: "say", text: "word ".repeat(2000) }], { tokenMs: 50 }) }),
  );
  const server = await serving(t, agents);
  const page = await open(`${server.url}/?view=lanes`);
  await page.getByText("Nothing runs").waitFor();
  await Promise.all(agents.map(({ id }) => send(server.url, id)));
  await page.getByRole("group", { name: /^Timeline of 50 lanes/ }).waitFor();
  await page.getByRole("button", { name: "Table" }).click();
  const tokens = await tokensOf(page, "agent-49");
  await until(async () => (await tokensOf(page, "agent-49")) > tokens, "more tokens");
  await page.getByRole("button", { name: "Table" }).click();
  assert.deepEqual(await seriousFindings(page), []);
  await page.screenshot({ path: join(PICTURES, "lanes-fifty.png") });
});

test("a stall that the agent's own threshold finds is called so in the lane, in the task's head, and at Home", async (t) => {
  const silent = agentOf(
    async function* (_, signal) {
      yield { kind: "text", text: "a word " };
      yield { kind: "text", text: "and one more" };
      await new Promise((resolve) => signal.addEventListener("abort", resolve));
    },
    { liveness: { onStall: "report", thresholds: { gapMs: 500 } } },
  );
  const server = await serving(t, [silent]);
  const task = await send(server.url, "agent");
  const page = await open(`${server.url}/t/agent/${task}?view=lanes`);
  // By its own threshold the page would find it after 30 s.
  await page.locator(".task-head .pill", { hasText: "stalled" }).waitFor({ timeout: 25_000 });
  await page.getByRole("button", { name: "Table" }).click();
  await page.getByRole("row").filter({ hasText: "stalled" }).waitFor();
  await page.goto(`${server.url}/`);
  await page.locator(`a[href*="${task}"]`).filter({ hasText: "stalled" }).waitFor();
});

for (const [name, options] of [
  ["wide-light", { colorScheme: "light", viewport: { width: 1600, height: 1000 } }],
  ["wide-dark", { colorScheme: "dark", viewport: { width: 1600, height: 1000 } }],
  ["narrow-light", { colorScheme: "light", viewport: { width: 360, height: 740 } }],
  ["narrow-dark", { colorScheme: "dark", viewport: { width: 360, height: 740 } }],
] as const) {
  test(`a picture of each view, ${name}`, async (t) => {
    const server = await serving(t, [family()]);
    const task = await send(server.url, "family");
    for (const view of ["conversation&at=12", "lanes", "sequence", "frames&at=12", "wire", "readers"]) {
      const page = await open(`${server.url}/t/family/${task}?view=${view}`, options);
      if (!view.includes("at=")) await page.getByText("ended").first().waitFor();
      await page.locator(".lanes-plot, .sequence-row, .frame-row, .said, .lanes-empty").first().waitFor();
      await page.screenshot({ path: join(PICTURES, `${view.replace(/&.*/, "")}-${name}.png`) });
      const wider = await page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth");
      assert.equal(wider, 0, `${view} does not scroll sideways`);
      // It asks for readers every second, also of a server that is gone.
      await page.close();
    }
  });
}
