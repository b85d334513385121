import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, before, type TestContext } from "node:test";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { ensureInspector } from "../../scripts/inspector.ts";
import { engine } from "./engines.ts";
import { root } from "./tree.ts";

/** Pictures for people; git ignores them. */
export const PICTURES = join(root, "screenshots");
/** Not hung. */
export const TIMEOUT = 30_000;

/** A test's server may stop before its pages do; what a page cannot reach is no fault of it. */
const GONE = /ERR_CONNECTION_REFUSED/;

/** How a page is opened. */
export interface OpenOptions extends BrowserContextOptions {
  /** Errors that the page may show: a browser counts an answer of 401 as one, for example. */
  readonly expected?: RegExp;
}

/** A real browser for the tests of a file, and the inspector built for it. Its pages fail the test when they show an error, or their policy blocks something. */
export function useBrowser(): { open(t: TestContext, url: string, options?: OpenOptions): Promise<Page> } {
  const { browser: executablePath } = engine("chromium");
  let browser: Browser | undefined;
  before(async () => {
    mkdirSync(PICTURES, { recursive: true });
    await ensureInspector();
    const args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
    browser = await chromium.launch({ executablePath, args });
  });
  after(() => browser?.close());
  return {
    async open(t, url, { expected, ...options } = {}) {
      if (browser === undefined) throw new Error("The browser did not start.");
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
      const page = await context.newPage();
      page.setDefaultTimeout(TIMEOUT);
      const errors: string[] = [];
      page.on("pageerror", (error) => errors.push(error.message));
      page.on("console", (line) => line.type() === "error" && !GONE.test(line.text()) && expected?.test(line.text()) !== true && errors.push(line.text()));
      t.after(async () => {
        await context.close();
        assert.deepEqual(errors, []);
      });
      await page.goto(url);
      return page;
    },
  };
}

/** What axe-core finds wrong with the page as it stands, serious and critical: rule, and the element. */
export async function seriousFindings(page: Page): Promise<readonly string[]> {
  const path = createRequire(import.meta.url).resolve("axe-core/axe.min.js");
  // The page's own policy lets no foreign script in: through the debugger it comes all the same.
  await page.evaluate(readFileSync(path, "utf8"));
  const found = (await page.evaluate("axe.run().then(({ violations }) => violations)")) as readonly {
    readonly id: string;
    readonly impact: string;
    readonly nodes: readonly { readonly html: string; readonly failureSummary: string }[];
  }[];
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .flatMap(({ id, nodes }) => nodes.map(({ html, failureSummary }) => `${id}: ${html.slice(0, 160)} ${failureSummary.slice(0, 200)}`));
}
