import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import test from "node:test";
import { build, type Rolldown } from "vite";

/** What a page loads that imports so much of the client: minified code. */
async function bundle(text: string): Promise<string> {
  const entry = "virtual:page";
  const built = (await build({
    configFile: false,
    logLevel: "error",
    resolve: { conditions: ["@infinite-agent-streams/source", "browser", "module"] },
    plugins: [{ name: "page", resolveId: (id) => (id === entry ? `\0${entry}` : null), load: (id) => (id === `\0${entry}` ? text : null) }],
    build: { write: false, minify: true, target: "es2022", modulePreload: false, rolldownOptions: { input: entry, preserveEntrySignatures: "strict" } },
  })) as Rolldown.RolldownOutput;
  return built.output.map((file) => (file.type === "chunk" ? file.code : "")).join("");
}

const gzipped = (code: string): number => gzipSync(code, { level: 9 }).byteLength;

test("the whole client has a few kB, and a stream over server-sent events alone pulls neither sockets nor tabs", async (t) => {
  const from = '"infinite-agent-streams/client"';
  const whole = await bundle(`export { createClient } from ${from};`);
  const stream = await bundle(`export { streamTask } from ${from};`);
  const nothing = await bundle(`import ${from};`);
  t.diagnostic(`createClient: ${whole.length} bytes, ${gzipped(whole)} gzipped; streamTask: ${stream.length} bytes, ${gzipped(stream)} gzipped`);
  assert.ok(whole.includes("WebSocket") && whole.includes("BroadcastChannel"));
  assert.ok(gzipped(whole) < 6500, `${gzipped(whole)}`);
  assert.ok(!/WebSocket|BroadcastChannel|FormData\(\)/.test(stream));
  assert.ok(gzipped(stream) < 2700, `${gzipped(stream)}`);
  assert.ok(nothing.length < 100, `nothing happens at import: ${nothing}`);
  assert.ok(!/node:|process\./.test(whole));
});
