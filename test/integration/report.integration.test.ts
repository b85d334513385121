import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after, before, type TestContext } from "node:test";
import { pathToFileURL } from "node:url";
import { type Browser, type BrowserContextOptions, chromium, type Page } from "playwright-core";
import { compareCampaigns, type Comparison } from "../../src/lib/campaign/report/compare.ts";
import { exportReport } from "../../src/lib/campaign/report/exports.ts";
import type { ReportSource } from "../../src/lib/campaign/report/source.ts";
import { engine } from "../support/engines.ts";
import { HOSTILE, hostileAttempts } from "../support/hostile.ts";
import { sampleAttempts, sourceOf } from "../support/sample-report.ts";
import { root } from "../support/tree.ts";

// The report from disk, in a real browser. Pictures of it go to a folder that git ignores, for people.

const { browser: executablePath } = engine("chromium");
const PICTURES = join(root, "screenshots");
/** Not hung. */
const TIMEOUT = 60_000;

let browser: Browser;
before(async () => {
  mkdirSync(PICTURES, { recursive: true });
  const args = ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update", "--disable-sync"];
  browser = await chromium.launch({ executablePath, args });
});
after(() => browser.close());

async function write(t: TestContext, source: ReportSource, format: "html" | "junit", comparison?: Comparison): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "ias-report-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  let text = "";
  for await (const piece of exportReport(source, format, comparison === undefined ? {} : { comparison })) text += piece;
  const path = join(folder, format === "html" ? "report.html" : "junit.xml");
  writeFileSync(path, text);
  return pathToFileURL(path).href;
}

/** The page from disk. Anything on its console, an error, or a request of any kind but its own file fails the test. */
async function open(t: TestContext, url: string, options: BrowserContextOptions = {}): Promise<Page> {
  const context = await browser.newContext({ viewport: { width: 1200, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(TIMEOUT);
  const wrong: string[] = [];
  page.on("pageerror", (error) => wrong.push(error.message));
  page.on("console", (line) => wrong.push(line.text()));
  page.on("request", (request) => request.url() !== url && wrong.push(request.url()));
  page.on("dialog", (dialog) => wrong.push(dialog.message()));
  t.after(async () => {
    await context.close();
    assert.deepEqual(wrong, []);
  });
  await page.goto(url);
  return page;
}

/** Texts whose contrast is below WCAG AA (4.5, large ones 3), as the browser paints them. */
const TOO_PALE = `(() => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
  const rgb = (color) => { canvas.clearRect(0, 0, 1, 1); canvas.fillStyle = color; canvas.fillRect(0, 0, 1, 1); return [...canvas.getImageData(0, 0, 1, 1).data]; };
  const light = (color) => { const [r, g, b] = rgb(color).slice(0, 3).map((v) => { const s = v / 255; return s <= 0.04045 ? s / 12.92 : ((s + 0.055) / 1.055) ** 2.4; }); return 0.2126 * r + 0.7152 * g + 0.0722 * b; };
  const ground = (element) => { for (let at = element; at; at = at.parentElement) { const color = getComputedStyle(at).backgroundColor; if (rgb(color)[3] > 0) return color; } return "white"; };
  const bad = new Set();
  for (const element of document.querySelectorAll("body *")) {
    if (![...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== "") || element.tagName === "SCRIPT") continue;
    const style = getComputedStyle(element);
    const [a, b] = [light(style.color), light(ground(element))].sort((x, y) => y - x);
    const ratio = (a + 0.05) / (b + 0.05);
    const size = parseFloat(style.fontSize);
    if (ratio < (size >= 24 || (size >= 18.66 && Number(style.fontWeight) >= 700) ? 3 : 4.5)) bad.add(element.className + " " + element.tagName + " " + ratio.toFixed(2));
  }
  return [...bad];
})()`;

for (const [name, options] of [
  ["wide-light", { colorScheme: "light" }],
  ["wide-dark", { colorScheme: "dark" }],
  ["narrow-light", { colorScheme: "light", viewport: { width: 360, height: 800 } }],
  ["narrow-dark", { colorScheme: "dark", viewport: { width: 360, height: 800 } }],
] as const) {
  test(`the report opens from disk, obeys its policy, fits, and is readable (${name})`, async (t) => {
    const before = await sourceOf(sampleAttempts(40, { seed: 3, passRate: 0.5 }), { seed: 5 });
    const source = await sourceOf(sampleAttempts(40), { campaign: { passThreshold: 0.9 } });
    const page = await open(t, await write(t, source, "html", await compareCampaigns(before, source)), options);
    assert.deepEqual(await page.locator("h2").allTextContents(), ["Subjects", "Compared with the campaign before", "Pace", "Stalls and retries", "Battles"]);
    await page.getByText("The threshold of 90 % was missed.").waitFor();
    assert.equal(await page.locator("svg.spark").count(), 40);
    assert.ok((await page.locator("svg.lane rect.stalled").count()) > 0);
    assert.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true, "nothing is wider than the screen");
    assert.equal(await page.evaluate("getComputedStyle(document.querySelector('.facts')).display"), "grid", "the style sheet is the one that the policy names");
    assert.deepEqual(await page.evaluate(TOO_PALE), []);
    assert.equal(await page.evaluate("[...document.querySelectorAll('svg[role=img]')].every((svg) => svg.getAttribute('aria-label'))"), true);
    await page.screenshot({ path: join(PICTURES, `report-${name}.png`), fullPage: true });
    // Answers open without a script.
    await page.locator("th summary").first().click();
    await page.locator("blockquote").first().waitFor();
  });
}

test("on paper answers stand open, nothing is cut at the side, and the ground is white whatever the screen's colours", async (t) => {
  const page = await open(t, await write(t, await sourceOf(sampleAttempts(30)), "html"), { colorScheme: "dark", viewport: { width: 720, height: 1000 } });
  await page.emulateMedia({ media: "print" });
  assert.equal(await page.evaluate("getComputedStyle(document.body).backgroundColor"), "rgb(255, 255, 255)");
  assert.deepEqual(await page.evaluate(TOO_PALE), []);
  assert.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
  assert.ok(await page.locator("blockquote").first().isVisible());
  await page.screenshot({ path: join(PICTURES, "report-print.png"), fullPage: true });
});

test("hostile text of agents is text: nothing runs, nothing loads, nothing is drawn by it", async (t) => {
  const name = HOSTILE.join(" ");
  const source = await sourceOf(hostileAttempts(), { campaign: { name } });
  const page = await open(t, await write(t, source, "html", await compareCampaigns(source, source)));
  assert.match(await page.title(), /^<\/script><script>document\.title="pwned"/);
  assert.equal(await page.locator("img, iframe, a, script:not([type='application/json'])").count(), 0);
  assert.equal(await page.locator("style").count(), 1);
  const rows = await page.locator("section:last-of-type tbody tr").count();
  assert.equal(rows, HOSTILE.length);
  assert.ok((await page.locator("blockquote").allTextContents()).includes(`<img src=x onerror="document.title='pwned'">`));
  const data = await page.evaluate<string>("JSON.parse(document.getElementById('data').textContent).campaign");
  assert.equal(data, name);
  assert.equal(await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), true);
});

test("were there markup in it, the policy would not let it act", async (t) => {
  const url = await write(t, await sourceOf(sampleAttempts(4)), "html");
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  await page.goto(url);
  // Resolves when the browser has told of each thing that it did not do.
  const acted = await page.evaluate(`new Promise((resolve) => {
    const left = new Set(["script-src-elem", "script-src-attr", "img-src", "style-src-attr"]);
    document.addEventListener("securitypolicyviolation", ({ effectiveDirective }) => {
      left.delete(effectiveDirective);
      if (left.size === 0) resolve([window.acted === true, getComputedStyle(document.getElementById("styled")).color === "rgb(255, 0, 0)"]);
    });
    const script = document.createElement("script");
    script.textContent = "window.acted = true";
    document.body.append(script);
    document.body.insertAdjacentHTML("beforeend", "<img src='data:image/gif;base64,R0lGODlhAQABAAAAACw=' onerror='window.acted = true'><p id=styled style='color: red'>x</p>");
  })`);
  assert.deepEqual(acted, [false, false]);
});

test("a browser's XML parser takes the JUnit file, with hostile text in it", async (t) => {
  const source = await sourceOf(hostileAttempts(), { campaign: { name: HOSTILE.join(" ") } });
  let xml = "";
  for await (const piece of exportReport(source, "junit")) xml += piece;
  const context = await browser.newContext();
  t.after(() => context.close());
  const page = await context.newPage();
  const read = await page.evaluate<{ readonly errors: number; readonly cases: number; readonly message: string | null }>(
    `(() => { const xml = new DOMParser().parseFromString(${JSON.stringify(xml)}, "application/xml");
      return { errors: xml.querySelectorAll("parsererror").length, cases: xml.querySelectorAll("testcase").length, message: xml.querySelectorAll("failure")[0].getAttribute("message") }; })()`,
  );
  assert.deepEqual([read.errors, read.cases], [0, HOSTILE.length]);
  assert.ok(HOSTILE.some((text) => text === read.message));
});

test("ten thousand battles open", async (t) => {
  const page = await open(t, await write(t, await sourceOf(sampleAttempts(10_000)), "html"));
  assert.equal(await page.locator("details.page").count(), 40);
  assert.equal(await page.locator("details.page[open]").count(), 1);
  const second = page.locator("details.page").nth(1);
  await second.locator(":scope > summary").click();
  await second.locator("tbody tr").first().waitFor();
});
