import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, test, type TestContext } from "node:test";
import { type Browser, chromium, type Page } from "playwright-core";
import { build } from "vite";
import { startCuttingProxy } from "../support/cutting-proxy.ts";
import { engine } from "../support/engines.ts";
import { lockStep } from "../support/lock-step.ts";
import { agentOf, serving } from "../support/serving.ts";
import { root } from "../support/tree.ts";

// `useChat` in React in a real browser. The model makes token n + 1 only after the page has shown token n.

const { browser: executablePath } = engine("chromium");
/** Not hung. */
const TIMEOUT = 60_000;

const APP = `
import { createElement as h, useEffect } from "react";
import { createRoot } from "react-dom/client";
import { useChat } from "@ai-sdk/react";
import { DefaultChatTransport } from "ai";

const at = new URL(location.href).searchParams;
const transport = new DefaultChatTransport({ api: at.get("api") });
const kept = JSON.parse(localStorage.getItem("messages") ?? "[]");

function App() {
  const { messages, sendMessage, resumeStream, status } = useChat({ id: "chat", transport, messages: kept, resume: kept.length > 0 });
  const text = messages.filter(({ role }) => role === "assistant").flatMap(({ parts }) => parts).map((part) => part.text ?? "").join("");
  useEffect(() => {
    localStorage.setItem("messages", JSON.stringify(messages));
    window.shown(text.length);
  }, [messages]);
  return h("main", null,
    h("p", { id: "status" }, status),
    h("p", { id: "count" }, String(messages.length)),
    h("pre", { id: "answer" }, text),
    h("button", { onClick: () => sendMessage({ text: "go" }) }, "Send"),
    h("button", { onClick: () => resumeStream() }, "Resume"));
}
createRoot(document.getElementById("app")).render(h(App));
`;

let browser: Browser;
let script = "";
before(async () => {
  // Inside the project, so that packages resolve; the folder is ignored by git.
  mkdirSync(join(root, ".cache"), { recursive: true });
  const folder = mkdtempSync(join(root, ".cache", "chat-"));
  try {
    const input = join(folder, "app.js");
    writeFileSync(input, APP);
    const built = await build({ root: folder, configFile: false, logLevel: "error", build: { write: false, rolldownOptions: { input } } });
    const output = Array.isArray(built) ? built[0]?.output : "output" in built ? built.output : undefined;
    script = output?.find((file) => file.type === "chunk")?.code ?? assert.fail("nothing was built");
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
  browser = await chromium.launch({ executablePath, args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-background-networking", "--disable-sync"] });
});
after(() => browser.close());

/** A server of an agent in lock step with what the page shows, behind a proxy that cuts its first connection, and the page. */
async function open(t: TestContext, bytes: number): Promise<{ readonly page: Page; readonly tokens: readonly string[]; readonly cuts: () => number }> {
  const step = lockStep(200);
  const proxy = await startCuttingProxy((connection) => (connection === 0 ? bytes : undefined));
  t.after(() => proxy[Symbol.asyncDispose]());
  const app = '<!doctype html><meta charset="utf-8"><title>chat</title><div id="app"></div><script type="module" src="/chat-app.js"></script>';
  const host = await serving(t, [agentOf(() => step.run())], {
    pages: [
      async ({ url }) => {
        if (url.pathname === "/chat-app.js") return { status: 200, headers: { "content-type": "text/javascript" }, body: script };
        return url.pathname === "/chat-app" ? { status: 200, headers: { "content-type": "text/html" }, body: app } : undefined;
      },
    ],
    allowedOrigins: ["*"],
  });
  proxy.target = host.port;
  const page = await (await browser.newContext()).newPage();
  t.after(() => page.context().close());
  page.setDefaultTimeout(TIMEOUT);
  let longest = 0;
  await page.exposeFunction("shown", (length: number) => {
    if (length <= longest) return;
    longest = length;
    step.see();
  });
  await page.goto(`${host.url}/chat-app?api=${encodeURIComponent(`http://127.0.0.1:${proxy.port}/ai/agent`)}`);
  return { page, tokens: step.tokens, cuts: () => proxy.cuts };
}

const status = (page: Page, text: string): Promise<void> => page.locator("#status", { hasText: text }).waitFor();

test("useChat shows each token as it is made, and resumes after a cut with nothing missing and nothing doubled", async (t) => {
  const { page, tokens, cuts } = await open(t, 5000);
  await page.getByText("Send").click();
  await status(page, "error");
  assert.equal(cuts(), 1);
  const before = (await page.locator("#answer").textContent()) ?? "";
  assert.ok(before.length > 0 && before.length < tokens.join("").length, "it was cut in the middle");
  await page.getByText("Resume").click();
  await status(page, "ready");
  await page.getByText(tokens.join(""), { exact: true }).waitFor();
  assert.equal(await page.locator("#answer").textContent(), tokens.join(""));
  assert.equal(await page.locator("#count").textContent(), "2");
});

test("a page that is loaded anew in the middle of an answer resumes it by itself", async (t) => {
  const { page, tokens } = await open(t, Number.POSITIVE_INFINITY);
  await page.getByText("Send").click();
  await page.locator("#answer", { hasText: "t20 " }).waitFor();
  await page.reload();
  await page.locator("#answer", { hasText: "t199 " }).waitFor();
  await status(page, "ready");
  await page.getByText(tokens.join(""), { exact: true }).waitFor();
  assert.equal(await page.locator("#answer").textContent(), tokens.join(""));
  assert.equal(await page.locator("#count").textContent(), "2");
});
