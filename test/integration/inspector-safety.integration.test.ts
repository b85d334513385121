import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { type TestContext } from "node:test";
import type { Server } from "../../src/lib/main/server.ts";
import { makeApiKey } from "../../src/lib/tenancy/api-keys.ts";
import { useBrowser } from "../support/browser.ts";
import { agentOf, serving } from "../support/serving.ts";

// What agents say, and who calls: in a real browser, against the policy that the server gives.

const { open } = useBrowser();

const RUN = "window.pwned=1";
const URL_RUN = "javascript:window.pwned=1";
/** Ways in which text has become script elsewhere: markup, Markdown, URLs, and what sanitisers were fooled by. */
const PAYLOADS = [
  `<script>${RUN}</script>`,
  `</script><script>${RUN}</script>`,
  `<img src=x onerror="${RUN}">`,
  `<img/src="x"/onerror=${RUN}>`,
  `<svg onload="${RUN}">`,
  `<svg><script>${RUN}</script></svg>`,
  `<svg><animate onbegin="${RUN}" attributeName=x dur=1s>`,
  `<svg><a xlink:href="${URL_RUN}"><text>x</text></a></svg>`,
  `<math><mtext><table><mglyph><style><!--</style><img title="--&gt;&lt;img src=1 onerror=${RUN}&gt;">`,
  `<iframe src="${URL_RUN}"></iframe>`,
  `<iframe srcdoc="<script>parent.${RUN}</script>"></iframe>`,
  `<object data="${URL_RUN}"></object>`,
  `<embed src="${URL_RUN}">`,
  `<a href="${URL_RUN}">x</a>`,
  `<a href="java\tscript:${RUN}">x</a>`,
  `<form action="${URL_RUN}"><button autofocus onfocus="${RUN}">x</button></form>`,
  `<input autofocus onfocus="${RUN}">`,
  `<details open ontoggle="${RUN}">x</details>`,
  `<video><source onerror="${RUN}"></video>`,
  `<audio src=x onerror="${RUN}">`,
  `<body onload="${RUN}">`,
  `<style>@import "http://127.0.0.1:1/x.css"; * { background: url(http://127.0.0.1:1/y) }</style>`,
  `<link rel=stylesheet href="http://127.0.0.1:1/z.css">`,
  `<meta http-equiv=refresh content="0;url=${URL_RUN}">`,
  `<base href="http://127.0.0.1:1/">`,
  `<template><script>${RUN}</script></template>`,
  `<noscript><p title="</noscript><img src=x onerror=${RUN}>">`,
  `[x](${URL_RUN})`,
  `[x](JaVaScRiPt:${RUN})`,
  `[x](data:text/html;base64,PHNjcmlwdD5hbGVydCgxKTwvc2NyaXB0Pg==)`,
  `[x](vbscript:x)`,
  `![x](${URL_RUN})`,
  `![x](http://127.0.0.1:1/tracker.png)`,
  `![x](x" onerror="${RUN})`,
  `<${URL_RUN}>`,
  "```html\n<script>" + RUN + "</script>\n```",
  `[ref]\n\n[ref]: ${URL_RUN}`,
  `<div style="position:fixed;inset:0">over everything</div>`,
  `<p id=app name=cookie>clobbered</p>`,
  `{{constructor.constructor("${RUN}")()}}`,
] as const;

test(`${PAYLOADS.length} payloads in everything that an agent can say do nothing`, async (t) => {
  const hostile = agentOf(
    async function* () {
      for (const [at, payload] of PAYLOADS.entries()) {
        yield { kind: "text", text: payload, artifact: `text-${at}` };
        yield { kind: "reasoning", text: payload };
        yield { kind: "tool-call", call: `${at}`, name: payload, arguments: payload };
        yield { kind: "tool-result", call: `${at}`, name: payload, output: payload };
        yield { kind: "delegation", from: payload, to: payload, via: "tool" };
        yield { kind: "text", text: payload, path: [payload] };
        yield {
          kind: "artifact",
          artifact: { artifactId: `file-${at}`, name: payload, parts: [{ raw: "PHN2Zz4=", mediaType: "image/svg+xml", filename: payload }] },
        };
        yield {
          kind: "artifact",
          artifact: { artifactId: `url-${at}`, parts: [{ url: payload.includes("javascript") ? URL_RUN : `http://127.0.0.1:1/${at}`, filename: payload }] },
        };
        yield { kind: "artifact", artifact: { artifactId: `data-${at}`, parts: [{ data: { [payload]: payload } }] } };
      }
    },
    {
      name: PAYLOADS[2],
      description: PAYLOADS.join(" "),
      skills: PAYLOADS.slice(0, 6).map((payload, at) => ({ id: `${at}`, name: payload, description: payload, tags: [payload], examples: [payload] })),
    },
  );
  const server = await serving(t, [hostile]);
  const page = await open(`${server.url}/a/agent`);
  const foreign: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url) && !/^(?:blob|data):/.test(request.url())) foreign.push(request.url());
  });
  await page.locator(".empty button").first().click();
  await page.getByText("ended").waitFor();
  const told = (await page.evaluate(`JSON.stringify({
    pwned: window.pwned ?? 0,
    active: document.querySelectorAll("main :is(script, iframe, object, embed, style, link, meta, base, form:not(.composer))").length,
    handlers: [...document.querySelectorAll("main *")].flatMap((one) => one.getAttributeNames().filter((name) => name.startsWith("on"))),
    links: [...document.querySelectorAll("main a")].map((one) => one.protocol).filter((protocol) => ![":", "http:", "https:", "blob:"].includes(protocol)),
    styled: document.querySelectorAll("main .md [style], main .md [id], main .md [name]").length,
  })`)) as string;
  assert.deepEqual(JSON.parse(told), { pwned: 0, active: 0, handlers: [], links: [], styled: 0 });
  for (const path of ["/", "/tasks", "/remotes"]) {
    await page.goto(server.url + path);
    await page.locator("h1").waitFor();
    assert.equal(await page.evaluate("window.pwned ?? 0"), 0, path);
  }
  assert.deepEqual(foreign, [], "nothing is fetched from elsewhere");
});

async function withKeys(t: TestContext): Promise<{ readonly server: Server; readonly key: string }> {
  const { key, line } = makeApiKey({ tenant: "acme", user: "ann" });
  const folder = mkdtempSync(join(tmpdir(), "ias-page-"));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, "keys"), line);
  const agent = agentOf(async function* (turn) {
    yield { kind: "text", text: `Hello, ${turn.principal.user}.` };
  });
  return { server: await serving(t, [agent], { auth: { kind: "api-keys", file: join(folder, "keys") } }), key };
}

test("where keys are needed the page asks for one, says when it is wrong, and no script can read it afterwards", async (t) => {
  const { server, key } = await withKeys(t);
  const page = await open(`${server.url}/a/agent`, { expected: /status of 401/ });
  const urls: string[] = [];
  page.on("request", (request) => urls.push(request.url()));
  const dialog = page.getByRole("dialog");
  await dialog.getByText("The server asks who you are").waitFor();
  await dialog.getByLabel("Key").fill("no-such-key");
  await page.keyboard.press("Enter");
  await dialog.getByText("The server does not take this key").waitFor();
  await dialog.getByLabel("Key").fill(key);
  await dialog.getByRole("button", { name: "Use it" }).click();
  await dialog.waitFor({ state: "hidden" });
  await page.locator("[data-composer]").fill("hello");
  await page.keyboard.press("Enter");
  await page.getByText("Hello, ann.").waitFor();
  await page.reload();
  await page.getByText("Hello, ann.").waitFor();
  const kept = await page.evaluate("JSON.stringify([location.href, document.cookie, { ...localStorage }, { ...sessionStorage }])");
  assert.deepEqual(
    [...urls, String(kept)].filter((text) => text.includes(key)),
    [],
  );
});
