import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test from "node:test";
import { PICTURES, seriousFindings, untilEqual, useBrowser } from "../support/browser.ts";
import { agentOf, serving } from "../support/serving.ts";

// Campaigns in the inspector, in a real browser: started, watched battle by battle while they run, steered, and a battle's stream in the lanes.

const { open } = useBrowser();

const SILENT = `<img src=x onerror="document.title='broken'">`;

for (const [name, options] of [
  ["wide-light", { colorScheme: "light" }],
  ["narrow-dark", { colorScheme: "dark", viewport: { width: 375, height: 700 } }],
] as const) {
  test(`a campaign is started, watched, paused, and its battles opened (${name})`, { timeout: 180_000 }, async (t) => {
    const folder = mkdtempSync(join(tmpdir(), "ias-board-"));
    t.after(() => rmSync(folder, { recursive: true, force: true }));
    const [campaignsDir, resultsDir] = [join(folder, "campaigns"), join(folder, "results")];
    mkdirSync(campaignsDir);
    let release = (): void => undefined;
    const released = new Promise<void>((resolve) => (release = resolve));
    // Also where the test fails: a turn that never ends would hold the server.
    t.after(() => release());
    const agent = agentOf(async function* () {
      for (let count = 1; count <= 10; count += 1) yield { kind: "text", text: `${count} ` };
      await released;
      yield { kind: "text", text: SILENT };
    });
    const server = await serving(t, [agent], { campaignsDir, resultsDir });
    writeFileSync(
      join(campaignsDir, "nightly.yaml"),
      `name: nightly
items:
  - { id: one, prompt: Count., expected: "10" }
  - { id: two, prompt: Count again., expected: eleven }
green: contains
subjects: [{ id: counter, url: ${server.url}/a2a/agent }]
`,
    );
    const page = await open(`${server.url}/campaigns`, options);
    const picture = (what: string) => page.screenshot({ path: join(PICTURES, `${name}-campaign-${what}.png`) });
    await page.getByText("never run", { exact: true }).waitFor();
    await page.getByRole("link", { name: "nightly" }).click();
    await page.getByRole("button", { name: "Start" }).click();

    // Both are seen generating, with the tokens so far, before either has ended.
    const rows = page.locator("table.battles tbody tr");
    await rows.filter({ hasText: "generating" }).nth(1).waitFor();
    await untilEqual(() => rows.filter({ hasText: "10" }).count(), 2);
    await picture("running");
    assert.deepEqual(await seriousFindings(page), []);
    assert.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true, "nothing is wider than the screen");
    await page.getByRole("button", { name: "Pause" }).click();
    await page.getByRole("button", { name: "Resume" }).click();
    await page.getByRole("button", { name: "Pause" }).waitFor();

    release();
    await page.getByText("2 of 2 judged, 1 passed", { exact: true }).waitFor();
    await rows.filter({ hasText: `The answer lacks "eleven"` }).waitFor();
    await picture("done");
    // Without a runner a wish waits for the next, and says so.
    await page.getByRole("button", { name: "Pause" }).waitFor({ state: "detached" });
    await rows.filter({ hasText: "two" }).getByRole("button", { name: "Try again" }).click();
    await rows.filter({ hasText: "two" }).getByText("tried again, after Go on").waitFor();
    await page.getByRole("button", { name: "Go on" }).waitFor();
    await rows.filter({ hasText: "two" }).getByRole("link").click();
    await page.getByText("11 tokens").waitFor();
    await page.getByText("counter", { exact: true }).first().waitFor();
    await picture("battle");
    await page.getByRole("link", { name: "Frames" }).click();
    await page.getByText("onerror").first().waitFor();
    assert.notEqual(await page.title(), "broken", "what a subject says is text");
    assert.deepEqual(await seriousFindings(page), []);
  });
}
