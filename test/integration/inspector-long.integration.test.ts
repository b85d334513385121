import assert from "node:assert/strict";
import test from "node:test";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { scripted, type ScriptStep } from "../../src/lib/engine/scripted.ts";
import type { SendReply } from "../../src/lib/model/api.ts";
import { seriousFindings, TIMEOUT, useBrowser } from "../support/browser.ts";
import { serving } from "../support/serving.ts";

// A stream that is larger than what the page keeps of one (64 MiB): what was let go is fetched where it is looked at.

const { open } = useBrowser();

const COUNT = 650;
const LONG = "lorem ipsum ".repeat(4500);
const STEPS: readonly ScriptStep[] = Array.from({ length: COUNT }, (_, index) => ({ kind: "text", text: `piece ${index} ${LONG}`, path: ["writer"] }));

test("of a stream that is larger than the page keeps, the newest entries are there, earlier ones come when they are looked at, and a link to one holds it", async (t) => {
  const server = await serving(t, [defineAgent({ id: "endless", engine: scripted([...STEPS, { kind: "say", text: "The end." }], { tokenMs: 0 }) })]);
  const sent = await fetch(`${server.url}/api/agents/endless/messages`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ messageId: crypto.randomUUID(), parts: [{ text: "go" }] }),
  });
  const reply = (await sent.json()) as SendReply;
  assert.ok("task" in reply);
  const page = await open(`${server.url}/t/endless/${reply.task}?view=frames`);
  await page
    .getByText("ended")
    .first()
    .waitFor({ timeout: 4 * TIMEOUT });
  const list = page.getByRole("listbox", { name: /entries$/ });
  await list.focus();
  await page.keyboard.press("Home");
  await page.getByRole("heading", { name: "Entry 1 task" }).waitFor();
  await page.keyboard.press("End");
  await page.getByRole("heading", { name: /^Entry \d+ status/ }).waitFor();
  await page.keyboard.press("Home");
  // The other views say that they have it no more, and how to see it.
  await page.keyboard.press("3");
  await page.getByText("Entry 1 is not kept in this page any more").waitFor();
  assert.deepEqual(await seriousFindings(page), []);
  await page.getByRole("button", { name: "Load it again" }).click();
  await page.getByText("The page is full").waitFor();
  await page.getByRole("button", { name: /^user to endless: message/ }).waitFor();
  await page.getByRole("button", { name: "Live" }).click();
  await page
    .getByText("ended")
    .first()
    .waitFor({ timeout: 4 * TIMEOUT });
  await page.keyboard.press("1");
  await page.getByText("The end.").waitFor();
  await page.getByRole("button", { name: "Show earlier" }).waitFor();
});
