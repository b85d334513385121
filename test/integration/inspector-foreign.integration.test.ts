import assert from "node:assert/strict";
import test from "node:test";
import type { Page } from "playwright-core";
import type { Script } from "../servers/script.ts";
import { useBrowser } from "../support/browser.ts";
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
    const page = await open(t, `${server.url}/remotes`);
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
    assert.match(page.url(), /\/t\/.*view=frames/);
  });
}
