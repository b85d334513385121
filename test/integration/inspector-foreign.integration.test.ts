import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import test from "node:test";
import type { Page } from "playwright-core";
import type { Script } from "../servers/script.ts";
import { seriousFindings, untilEqual, useBrowser } from "../support/browser.ts";
import { startPythonAgent } from "../support/python-agent.ts";
import { agentOf, serving } from "../support/serving.ts";

// The inspector in a real browser before agents of the official Python SDK: added by their address, talked to, their tokens seen one by one.

const { open } = useBrowser();

async function say(page: Page, text: string): Promise<void> {
  await page.locator("[data-composer]").fill(text);
  await page.getByRole("button", { name: "Send", exact: true }).click();
}

for (const version of ["1.0", "0.3"] as const) {
  test(`an agent of a2a-sdk ${version}: each chunk is made only after the one before was seen on the page`, async (t) => {
    await using python = await startPythonAgent(version);
    const server = await serving(t, [agentOf(async function* () {})], { allowLocalTargets: true });
    const page = await open(`${server.url}/remotes`);
    await page.getByLabel("Address").fill(python.url);
    await page.getByRole("button", { name: "Examine its card" }).click();
    await page
      .getByText(/keeps every MUST|MUST/)
      .first()
      .waitFor();
    await page.getByRole("button", { name: "Talk to it" }).click();
    await page.locator("[data-composer]").waitFor();
    const chunks = Array.from({ length: 8 }, (_, index) => `c${index} `);
    const plan: Script = { do: "chunks", chunks, gated: true };
    await say(page, JSON.stringify(plan));
    const answer = page.locator(".said.agent .md");
    let shown = "";
    for (const chunk of chunks) {
      python.release();
      shown += chunk;
      await answer.filter({ hasText: new RegExp(`^\\s*${shown.trimEnd()}\\s*$`) }).waitFor();
    }
    await page.getByText("ended").waitFor();
    // Its frames are there like those of any agent, each held against the specification.
    await page.getByRole("link", { name: "Look inside" }).click();
    await page.getByRole("link", { name: "Frames" }).click();
    await page.getByText("No rule broken").waitFor();
    await page.getByText("COMPLETED", { exact: false }).first().waitFor();
    await page.waitForURL(/\/t\/.*view=frames/);
  });
}

test("an agent that never answers is waited for no longer than a person likes", async (t) => {
  const silent = createServer(() => {});
  await once(silent.listen(0, "127.0.0.1"), "listening");
  t.after(() => {
    silent.closeAllConnections();
    silent.close();
  });
  const server = await serving(t, [agentOf(async function* () {})], { allowLocalTargets: true });
  const page = await open(`${server.url}/remotes`);
  await page.getByLabel("Address").fill(`http://127.0.0.1:${(silent.address() as AddressInfo).port}/`);
  const cancel = page.getByRole("button", { name: "Cancel" });
  for (const name of ["Examine its card", "Talk to it"]) {
    await page.getByRole("button", { name }).click();
    await cancel.click();
    await page.getByRole("button", { name }).and(page.locator(":enabled")).waitFor();
    await cancel.waitFor({ state: "detached" });
    assert.equal(await page.getByRole("alert").count(), 0, "what a person gave up is no fault");
  }
  assert.match(page.url(), /\/remotes\?/);
});

test("agents of one name are told apart by where they are, and an operator shares one with all", async (t) => {
  const twin = () => serving(t, [agentOf(async function* () {}, { id: "twin", name: "Twin" })]);
  const [one, other] = [await twin(), await twin()];
  const server = await serving(t, [agentOf(async function* () {}, { name: "Alone" })], { allowLocalTargets: true });
  const page = await open(`${server.url}/remotes`);
  for (const [index, { url }] of [one, other].entries()) {
    await page.goto(`${server.url}/remotes`);
    await page.getByLabel("Address").fill(url);
    if (index === 0) await page.getByLabel(/share it with all callers/).check();
    await page.getByRole("button", { name: "Talk to it" }).click();
    await page.locator("[data-composer]").waitFor();
  }
  const side = page.getByRole("navigation", { name: "Talk to" });
  for (const { url } of [one, other]) await side.getByRole("link", { name: `Twin ${new URL(url).host}` }).waitFor();
  // One that is alone of its name has its name only.
  await side.getByRole("link", { name: "Alone", exact: true }).waitFor();
  await page.goto(`${server.url}/remotes`);
  await page.locator(".added > li").nth(1).waitFor();
  await page
    .locator(".added > li", { hasText: new URL(one.url).host })
    .getByText("shared", { exact: true })
    .waitFor();
  await untilEqual(() => page.getByText("shared", { exact: true }).count(), 1);
  assert.deepEqual(await seriousFindings(page), []);
});
