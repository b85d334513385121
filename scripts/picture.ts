// Makes the picture at the top of the README: `npm run picture`. The built-in agents talk, on a server of their own, and a browser looks at the team's lanes.
import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";
import { createDemoAgents } from "../src/lib/main/agents/demo-agents.ts";
import { startServer } from "../src/lib/main/server.ts";
import { RESULTS_DIR } from "../src/lib/main/settings.ts";
import { createMemoryStore } from "../src/lib/log/memory.ts";
import type { SendReply } from "../src/lib/model/api.ts";
import { chromium as engine } from "./engines/chromium.ts";
import { ensureInspector } from "./inspector.ts";

/** Where README has it. */
const FILE = fileURLToPath(new URL("../docs/images/inspector.png", import.meta.url));
/** Until the coordinator has asked its researcher, whose tokens then come: what is worth seeing. */
const SEEN_MS = 7000;

const found = engine.find("");
if (found === undefined) throw new Error(`There is no browser: ${engine.byHand}.`);
await ensureInspector();
const { agents } = await createDemoAgents({});
await using store = createMemoryStore();
await using server = await startServer({ agents, store, port: 0, grpcPort: false, resultsDir: RESULTS_DIR });
const browser = await chromium.launch({ executablePath: found.browser, args: ["--no-sandbox", "--disable-dev-shm-usage"] });
try {
  const page = await browser.newPage({ viewport: { width: 1120, height: 500 }, colorScheme: "dark", deviceScaleFactor: 2 });
  const { task } = await send(server.url, "team", "Tell me about tide pools");
  await page.goto(`${server.url}/t/team/${task}?view=lanes`);
  await page.waitForTimeout(SEEN_MS);
  // The whole time on the width of the page.
  await page.getByRole("button", { name: "All" }).click();
  await page.waitForTimeout(300);
  mkdirSync(join(FILE, ".."), { recursive: true });
  await page.screenshot({ path: FILE });
  console.log("docs/images/inspector.png is made.");
} finally {
  await browser.close();
}

async function send(url: string, agent: string, text: string): Promise<Extract<SendReply, { readonly task: string }>> {
  const response = await fetch(`${url}/api/agents/${agent}/messages`, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify({ messageId: crypto.randomUUID(), parts: [{ text }] }),
  });
  return (await response.json()) as Extract<SendReply, { readonly task: string }>;
}
