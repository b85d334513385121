import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { after, afterEach, before } from "node:test";
import { isDeepStrictEqual } from "node:util";
import { type Browser, type BrowserContext, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { ensureInspector } from "../../scripts/inspector.ts";
import { engine } from "./engines.ts";
import { root } from "./tree.ts";

/** Pictures for people; git ignores them. */
export const PICTURES = join(root, "screenshots");
/** Not hung. */
export const TIMEOUT = 30_000;

/** How a page is opened. */
export interface OpenOptions extends BrowserContextOptions {
  /** Errors that the page may show: a browser counts an answer of 401 as one, for example. */
  readonly expected?: RegExp;
}

/**
 * A real browser for the tests of a file, and the inspector built for it. Its pages fail the test when they show an error, or their policy blocks something.
 * They are closed when a test's body has ended, before its servers stop: what a page cannot reach any more is no fault of it.
 */
export function useBrowser(): { open(url: string, options?: OpenOptions): Promise<Page> } {
  const { browser: executablePath } = engine("chromium");
  let browser: Browser | undefined;
  const contexts: BrowserContext[] = [];
  const errors: string[] = [];
  before(async () => {
    mkdirSync(PICTURES, { recursive: true });
    await ensureInspector();
    const args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
    browser = await chromium.launch({ executablePath, args });
  });
  afterEach(async () => {
    for (const context of contexts.splice(0)) await context.close();
    assert.deepEqual(errors.splice(0), []);
  });
  after(() => browser?.close());
  return {
    async open(url, { expected, ...options } = {}) {
      if (browser === undefined) throw new Error("The browser did not start.");
      const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
      contexts.push(context);
      const page = await context.newPage();
      page.setDefaultTimeout(TIMEOUT);
      page.on("pageerror", (error) => errors.push(error.message));
      page.on("console", (line) => line.type() === "error" && expected?.test(line.text()) !== true && errors.push(line.text()));
      await page.goto(url);
      return page;
    },
  };
}

/** Waits until `look` gives true. It is asked from here, as often as it takes: the page's own policy lets no expression be looked at from inside (`waitForFunction`). */
export async function until(look: () => Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + TIMEOUT;
  while (!(await look())) {
    if (performance.now() > end) throw new Error(`It never came to ${what}.`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

/** Waits until what `read` gives is `expected`: a page draws what it was told a little later. Fails with the difference that there was at last. */
export async function untilEqual<T>(read: () => Promise<T>, expected: T, message?: string): Promise<void> {
  const end = performance.now() + TIMEOUT;
  let seen = await read();
  while (!isDeepStrictEqual(seen, expected) && performance.now() < end) {
    await new Promise((resolve) => setTimeout(resolve, 50));
    seen = await read();
  }
  if (message === undefined) assert.deepEqual(seen, expected);
  else assert.deepEqual(seen, expected, message);
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
