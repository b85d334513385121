import assert from "node:assert/strict";
import test from "node:test";
import type { Page } from "playwright-core";
import { messageOf } from "../support/messages.ts";
import { seriousFindings, until, untilEqual, useBrowser } from "../support/browser.ts";
import { agentOf, serving } from "../support/serving.ts";
import { stepped } from "../support/stepped.ts";

// What hands do in a real browser: files dragged onto the page, fingers on the lanes, keys alone.

const { open } = useBrowser();

const echo = () =>
  agentOf(
    async function* (turn) {
      const file = turn.input.at(-1)?.parts.find((part) => part.filename !== undefined);
      yield { kind: "text", text: file === undefined ? "Nothing came." : `Got ${file.filename}: ${Buffer.from(await turn.load(file)).toString()}.` };
    },
    { inputModes: ["*/*"] },
  );

/** Drags a file onto an element, as a browser tells it. Gives whether the page took it: an event that nobody takes makes a browser leave the page. */
async function dropOn(page: Page, selector: string, file: { readonly name: string; readonly type: string; readonly text: string }): Promise<boolean> {
  const taken = await page.evaluate(`(() => {
    const data = new DataTransfer();
    data.items.add(new File([${JSON.stringify(file.text)}], ${JSON.stringify(file.name)}, { type: ${JSON.stringify(file.type)} }));
    const target = document.querySelector(${JSON.stringify(selector)});
    const tell = (type) => !target.dispatchEvent(new DragEvent(type, { dataTransfer: data, bubbles: true, cancelable: true }));
    tell("dragenter");
    const over = tell("dragover");
    return tell("drop") && over;
  })()`);
  return taken === true;
}

/** A stream of 40 s with a word at its beginning and its end at the end. */
function fileOfAStream(): string {
  const status = (state: string) => ({ state, timestamp: new Date(1_700_000_000_000).toISOString() });
  const task = { id: "t1", contextId: "c1", status: status("TASK_STATE_WORKING"), history: [{ ...messageOf("go"), taskId: "t1", contextId: "c1" }] };
  const entry = (seq: number, at: number, event: object) => JSON.stringify({ seq, gen: 1, at: 1_700_000_000_000 + at, attempt: 1, audience: "public", event });
  return [
    JSON.stringify({ format: "ias-stream/1", agent: "far", task: "t1", context: "c1" }),
    entry(1, 0, { task }),
    entry(2, 10, { artifactUpdate: { taskId: "t1", contextId: "c1", artifact: { artifactId: "answer", parts: [{ text: "hello" }] } } }),
    entry(3, 40_000, { statusUpdate: { taskId: "t1", contextId: "c1", status: status("TASK_STATE_COMPLETED") } }),
  ].join("\n");
}

test("a file that is dragged onto a conversation goes with the next message, wherever it is let go", async (t) => {
  const server = await serving(t, [echo()]);
  const page = await open(`${server.url}/a/agent`);
  await page.locator("[data-composer]").waitFor();
  assert.equal(await dropOn(page, ".pane-scroll", { name: "note.txt", type: "text/plain", text: "dragged words" }), true);
  await page.locator(".attachments .ready").waitFor();
  assert.equal(await dropOn(page, ".composer", { name: "more.txt", type: "text/plain", text: "more" }), true);
  await page.locator(".attachments .ready", { hasText: "more.txt" }).waitFor();
  await page.getByRole("button", { name: "Take more.txt away" }).click();
  await page.locator("[data-composer]").fill("look");
  await page.keyboard.press("Enter");
  await page.getByText("Got note.txt: dragged words.").waitFor();
});

test("a stream's file that is dropped on any view is opened; another file is told where it belongs, and neither makes the browser leave", async (t) => {
  const server = await serving(t, [echo()]);
  const page = await open(`${server.url}/tasks`);
  await page.getByRole("heading", { name: "Tasks" }).waitFor();
  assert.equal(await dropOn(page, "main", { name: "cat.txt", type: "text/plain", text: "cat" }), true);
  await page.getByText("drop it on a conversation").waitFor();
  assert.equal(await dropOn(page, "main", { name: "far-t1.ndjson", type: "", text: `${fileOfAStream()}\nnot json` }), true);
  await page.getByRole("group", { name: /^Timeline of 1 lane/ }).waitFor();
  await page.getByText("Line 5 is not a JSON object").waitFor();
  await page.getByText("drop it on a conversation").waitFor({ state: "detached" });
  assert.deepEqual(await seriousFindings(page), []);
});

test("fingers move the lanes, spread them, and open an entry", async (t) => {
  const server = await serving(t, [echo()]);
  const page = await open(`${server.url}/tasks`, { viewport: { width: 390, height: 780 }, hasTouch: true, isMobile: true });
  await dropOn(page, "main", { name: "far-t1.ndjson", type: "", text: fileOfAStream() });
  const canvas = page.locator(".lanes canvas");
  await canvas.waitFor();
  const box = await canvas.boundingBox();
  assert.ok(box);
  const y = box.y + box.height / 2;
  const hands = await page.context().newCDPSession(page);
  const touch = (type: "touchStart" | "touchMove" | "touchEnd", ...xs: number[]) =>
    hands.send("Input.dispatchTouchEvent", { type, touchPoints: xs.map((x, id) => ({ x: box.x + x, y, id })) });
  /** Which second of the stream is at `x`. */
  const secondAt = async (x: number): Promise<number> => {
    const tip = page.locator(".lanes-tip .num").first();
    // The lanes listen, and are drawn, a little after they are there.
    await until(async () => {
      await page.mouse.move(box.x + x, y + 1);
      await page.mouse.move(box.x + x, y);
      return tip.isVisible();
    }, "a tip under the pointer");
    const text = await tip.innerText();
    return text.endsWith("ms") ? Number.parseFloat(text) / 1000 : Number.parseFloat(text);
  };
  let before: readonly [number, number] = [Number.NaN, Number.NaN];
  await until(async () => {
    const seen = [await secondAt(120), await secondAt(240)] as const;
    const stands = seen[0] === before[0] && seen[1] === before[1];
    before = seen;
    return stands;
  }, "a picture that stands");
  const perPx = (before[1] - before[0]) / 120;
  assert.ok(perPx > 0.05, `${perPx} s a pixel: 40 s lie on the screen`);
  await touch("touchStart", 200);
  for (let x = 190; x >= 140; x -= 10) await touch("touchMove", x);
  await touch("touchEnd");
  const moved = await secondAt(120);
  assert.ok(Math.abs(moved - before[0] - 60 * perPx) < 5 * perPx, `a finger took ${before[0]} s to ${moved} s`);
  await touch("touchStart", 150, 190);
  for (let step = 1; step <= 10; step += 1) await touch("touchMove", 150 - 2 * step, 190 + 2 * step);
  await touch("touchEnd");
  const spread = [await secondAt(150), await secondAt(190)] as const;
  const closer = (perPx * 40) / (spread[1] - spread[0]);
  assert.ok(Math.abs(closer - 2) < 0.3, `two fingers from 40 to 80 px made it ${closer} times as wide`);
  await page.getByRole("button", { name: "All", exact: true }).tap();
  // The first tap shows what is there, as hovering does; the second opens it.
  await page.touchscreen.tap(box.x + 24, y);
  await page.locator(".lanes-tip").filter({ hasText: "#2" }).waitFor();
  await page.touchscreen.tap(box.x + 24, y);
  await page.getByRole("heading", { name: /^Entry 2 / }).waitFor();
});

test("by keys alone: to an agent, a message, its stream, and through its views", async (t) => {
  const steps = stepped();
  const server = await serving(t, [agentOf((_turn, signal) => steps.run(signal), { name: "Stepper" })]);
  const page = await open(server.url);
  await page.getByRole("link", { name: "Talk to Stepper" }).focus();
  await page.keyboard.press("Enter");
  await page.locator("[data-composer]").waitFor();
  await page.keyboard.press("/");
  await page.keyboard.type("go");
  await page.keyboard.press("Enter");
  steps.say("one ");
  await page.getByText("one").waitFor();
  steps.end();
  await page.getByRole("link", { name: "Look inside" }).focus();
  await page.keyboard.press("Enter");
  await page.getByRole("group", { name: /^Timeline of 1 lane/ }).waitFor();
  const legend = page.locator(".lanes-legend");
  await legend.locator("summary").focus();
  await page.keyboard.press("Space");
  const isOpen = () => legend.evaluate((element) => element.hasAttribute("open"));
  await untilEqual(isOpen, true, "Space opens what has the keyboard, and does not replay");
  await page.keyboard.press("Escape");
  await untilEqual(isOpen, false);
  // A title follows its address a drawing later, so it is waited for.
  const titled = (name: string) => until(async () => (await page.title()).startsWith(`${name}: Stepper`), `the title of ${name}`);
  const views = { 1: "Conversation", 3: "Sequence", 4: "Frames", 5: "Cut the wire", 6: "Readers" };
  for (const [key, name] of Object.entries(views)) {
    await page.keyboard.press(key);
    await titled(name);
    await page.locator(".task-body > *").first().waitFor();
  }
  await page.goBack();
  await page.waitForURL(/view=wire/);
  await titled(views[5]);
});

test("while tokens arrive nothing moves but the words, their end stays in sight, and nothing is wider than a phone", async (t) => {
  const long = "an-agent-whose-name-is-longer-than-any-telephone-is-wide-and-has-no-space";
  const agent = agentOf(
    async function* (_turn, signal) {
      for (let n = 1; n <= 1500 && !signal.aborted; n += 1) {
        yield { kind: "text", text: `word${n} ` };
        if (n % 10 === 0) await new Promise((resolve) => setTimeout(resolve, 10));
      }
      yield { kind: "artifact", artifact: { artifactId: "data", parts: [{ data: { wide: "x".repeat(400) } }] } };
      yield { kind: "interrupt", reason: "input", message: [{ text: "The end?" }] };
    },
    { name: long },
  );
  const server = await serving(t, [agent]);
  const page = await open(`${server.url}/a/agent`, { viewport: { width: 360, height: 700 } });
  await page.getByRole("heading", { level: 1, name: long }).waitFor();
  await page.locator("[data-composer]").fill("go");
  await page.evaluate(`(() => {
    window.shifted = 0;
    new PerformanceObserver((list) => {
      for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
    }).observe({ type: "layout-shift" });
  })()`);
  await page.keyboard.press("Enter");
  await page.getByText("The end?").waitFor();
  await page.getByRole("button", { name: "Cancel" }).waitFor();
  // Below 0.01 is what a number that gets a digit more does to its own line.
  const shifted = Number(await page.evaluate("window.shifted"));
  assert.ok(shifted < 0.01, `a layout shift of ${shifted}`);
  await until(() => page.locator(".pane-scroll").evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight < 2), "the end in sight");
  assert.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
  const send = await page.getByRole("button", { name: "Send", exact: true }).boundingBox();
  assert.ok(send !== null && send.x + send.width <= 360, "what is needed next is on the screen");
  assert.deepEqual(await seriousFindings(page), []);
  const inside = (await page.getByRole("link", { name: "Look inside" }).getAttribute("href")) ?? "";
  const views = ["conversation", "lanes", "sequence", "frames", "wire", "readers"].map((view) => `${inside.split("?", 1)[0]}?view=${view}&at=40`);
  for (const path of ["/", "/tasks", "/remotes", ...views]) {
    await page.goto(server.url + path);
    await page.locator("h1").waitFor();
    await page.locator("main :is(.rows, .table, .remote-form, .campaigns, .problem, .task-body > *)").first().waitFor();
    assert.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true, `${path} is wider than the screen`);
    assert.deepEqual(await seriousFindings(page), [], path);
  }
});
