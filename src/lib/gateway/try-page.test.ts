import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";
import { agentOf } from "../../../test/support/serving.ts";
import type { Agent } from "../engine/agent.ts";
import type { PageReply } from "../net/page.ts";
import { createTryPage } from "./try-page.ts";

async function get(path: string, agents: readonly Agent[] = [agentOf(async function* () {})], method = "GET"): Promise<PageReply | undefined> {
  const page = createTryPage(new Map(agents.map((agent) => [agent.id, agent])));
  return page({ method, url: new URL(path, "http://127.0.0.1:4000"), header: () => undefined });
}

async function textOf(path: string, agents?: readonly Agent[]): Promise<string> {
  const body = (await get(path, agents))?.body;
  return typeof body === "string" ? body : assert.fail(path);
}

test("the page and its files come with a policy that lets nothing else run, load or frame it", async () => {
  for (const [path, type] of [
    ["/", "text/html; charset=utf-8"],
    ["/assets/try.css", "text/css; charset=utf-8"],
    ["/assets/try.js", "text/javascript; charset=utf-8"],
  ] as const) {
    const reply = (await get(path)) ?? assert.fail(path);
    assert.equal(reply.status, 200);
    assert.equal(reply.headers["content-type"], type);
    const policy = new Map(
      (reply.headers["content-security-policy"] ?? "").split("; ").map((rule) => [rule.split(" ")[0], rule.split(" ").slice(1).join(" ")]),
    );
    for (const rule of ["default-src", "base-uri", "form-action", "frame-ancestors"]) assert.equal(policy.get(rule), "'none'", rule);
    for (const rule of ["script-src", "style-src", "connect-src"]) assert.equal(policy.get(rule), "'self'", rule);
  }
});

test("the HTML holds no script or style of its own, so that the policy needs no exception", async () => {
  const html = await textOf("/");
  assert.deepEqual([...html.matchAll(/<script(?![^>]*(?:src=|application\/json))[^>]*>/g)], []);
  assert.ok(!/<style|\sstyle=|\son\w+=|javascript:/.test(html));
  for (const [, path = ""] of html.matchAll(/(?:src|href)="(\/[^"]*)"/g)) assert.equal((await get(path))?.status, 200, path);
});

test("whatever agents are called, they are data: their text never ends the element that carries it", async () => {
  const evil = "</script><script>alert(1)</script><!-- <script> ]]> {{facts}} $& $' \u2028 \"'`";
  const agent = agentOf(async function* () {}, {
    name: evil,
    description: evil,
    skills: [{ id: "s", name: evil, description: evil, tags: [], examples: [evil, ...Array.from({ length: 9 }, String)] }],
  });
  const html = await textOf("/", [agent]);
  const [, json = ""] = /<script type="application\/json" id="facts">([^]*?)<\/script>/.exec(html) ?? [];
  const facts = JSON.parse(json) as {
    readonly agents: readonly { readonly name: string; readonly description: string; readonly examples: readonly string[] }[];
  };
  assert.deepEqual([facts.agents[0]?.name, facts.agents[0]?.description, facts.agents[0]?.examples[0]], [evil, evil, evil]);
  assert.equal(facts.agents[0]?.examples.length, 6);
  assert.equal(html.match(/<script/g)?.length, 2);
  assert.ok(!html.includes("alert(1)</script>"));
});

test("try.js parses as a module and never makes markup of text", async () => {
  const script = await textOf("/assets/try.js");
  execFileSync(process.execPath, ["--input-type=module", "--check", "-"], { input: script });
  assert.ok(!/innerHTML|outerHTML|insertAdjacentHTML|document\.write|\beval\b|new Function/.test(script));
});

test("other paths are not the page's, and it is only read", async () => {
  for (const path of ["/index.html", "/assets/", "/assets/../try.js", "/a2a"]) assert.equal(await get(path), undefined, path);
  assert.equal((await get("/", undefined, "POST"))?.status, 405);
  assert.equal((await get("/", undefined, "HEAD"))?.status, 200);
});
