import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import test, { after } from "node:test";
import { gunzipSync } from "node:zlib";
import type { PageReply } from "../net/page.ts";
import { createInspectorPages } from "./inspector-page.ts";

const folder = mkdtempSync(join(tmpdir(), "ias-inspector-"));
after(() => rmSync(folder, { recursive: true, force: true }));
const SCRIPT = "console.log(1);\n".repeat(200);
mkdirSync(join(folder, "assets"));
writeFileSync(join(folder, "index.html"), "<!doctype html><title>The page</title>");
writeFileSync(join(folder, "assets/index-1.js"), SCRIPT);
const { own: page, lost } = createInspectorPages(folder);

async function get(path: string, { method = "GET", encoding }: { readonly method?: string; readonly encoding?: string } = {}): Promise<PageReply | undefined> {
  return page({ method, url: new URL(path, "http://127.0.0.1:4000"), header: (name) => (name === "accept-encoding" ? encoding : undefined) });
}

const textOf = (reply: PageReply | undefined): string => Buffer.from((reply?.body ?? "") as string | Uint8Array).toString();

test("the page is given at its own addresses only, whatever stands below them", async () => {
  for (const path of ["/", "/?view=lanes", "/a/poet", "/t/poet/1?at=3", "/tasks", "/campaigns/nightly", "/remotes"])
    assert.match(textOf(await get(path)), /The page/, path);
  for (const path of ["/a2a", "/a2a/poet", "/api/tasks", "/assets/none.js", "/assets/", "/assets/../index.html", "/index.html", "/healthz", "/v1/models"])
    assert.equal(await get(path), undefined, path);
});

test("the page comes with a policy that lets nothing else run, load or frame it, and makes no markup of text", async () => {
  const policy = new Map(
    ((await get("/"))?.headers["content-security-policy"] ?? "").split("; ").map((rule) => [rule.split(" ")[0], rule.split(" ").slice(1).join(" ")]),
  );
  for (const rule of ["default-src", "base-uri", "form-action", "frame-ancestors"]) assert.equal(policy.get(rule), "'none'", rule);
  for (const rule of ["script-src", "style-src", "connect-src"]) assert.equal(policy.get(rule), "'self'", rule);
  assert.equal(policy.get("require-trusted-types-for"), "'script'");
});

test("assets are kept for ever, because their names change with them; the page is asked for each time", async () => {
  assert.match((await get("/assets/index-1.js"))?.headers["cache-control"] ?? "", /immutable/);
  assert.equal((await get("/assets/index-1.js"))?.headers["content-type"], "text/javascript; charset=utf-8");
  assert.equal((await get("/"))?.headers["cache-control"], "no-cache");
});

test("text is compressed for those who take it", async () => {
  const zipped = await get("/assets/index-1.js", { encoding: "br, gzip" });
  assert.deepEqual([zipped?.headers["content-encoding"], zipped?.headers["vary"]], ["gzip", "accept-encoding"]);
  assert.equal(gunzipSync(zipped?.body as Uint8Array).toString(), SCRIPT);
  for (const encoding of [undefined, "br", "gzip;q=0"])
    assert.equal((await get("/assets/index-1.js", { encoding: encoding ?? "" }))?.headers["content-encoding"], undefined);
});

test("it is only read", async () => {
  assert.equal((await get("/", { method: "POST" }))?.status, 405);
  assert.equal((await get("/tasks", { method: "DELETE" }))?.status, 405);
  assert.equal((await get("/", { method: "HEAD" }))?.status, 200);
});

test("without a built inspector the page says how to get one", async () => {
  const reply = await createInspectorPages(join(folder, "none")).own({ method: "GET", url: new URL("http://127.0.0.1:4000/"), header: () => undefined });
  assert.equal(reply?.status, 503);
  assert.match(textOf(reply), /npm run build/);
});

test("where nothing is a browser gets the page with 404, a program nothing of it", async () => {
  const at = async (path: string, accept?: string, method = "GET", from = lost): Promise<PageReply | undefined> =>
    from({ method, url: new URL(path, "http://127.0.0.1:4000"), header: (name) => (name === "accept" ? accept : undefined) });
  const browser = "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8";
  const reply = await at("/nowhere", browser);
  assert.equal(reply?.status, 404);
  assert.match(textOf(reply), /The page/);
  assert.match(reply?.headers["vary"] ?? "", /\baccept,/, "a cache gives it to browsers only");
  assert.ok(reply?.headers["content-security-policy"]);
  for (const accept of [undefined, "*/*", "application/json"]) assert.equal(await at("/nowhere", accept), undefined);
  for (const path of ["/a2a/none", "/api/none", "/v1/none", "/assets/none.js", "/.well-known/none"]) assert.equal(await at(path, browser), undefined, path);
  assert.equal(await at("/nowhere", browser, "POST"), undefined);
  assert.equal(await at("/nowhere", browser, "GET", createInspectorPages(join(folder, "none")).lost), undefined);
});
