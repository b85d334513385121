import assert from "node:assert/strict";
import { gzipSync } from "node:zlib";
import test from "node:test";
import { bundleClient as bundle } from "../../../test/support/bundle-client.ts";

const gzipped = (code: string): number => gzipSync(code, { level: 9 }).byteLength;

test("the whole client has a few kB, and a stream over server-sent events alone pulls neither sockets nor tabs", async (t) => {
  const from = '"infinite-agent-streams/client"';
  const whole = await bundle(`export { createClient } from ${from};`);
  const stream = await bundle(`export { stream } from ${from};`);
  const nothing = await bundle(`import ${from};`);
  t.diagnostic(`createClient: ${whole.length} bytes, ${gzipped(whole)} gzipped; stream: ${stream.length} bytes, ${gzipped(stream)} gzipped`);
  assert.ok(whole.includes("WebSocket") && whole.includes("BroadcastChannel"));
  assert.ok(gzipped(whole) < 6500, `${gzipped(whole)}`);
  assert.ok(!/WebSocket|BroadcastChannel|FormData\(\)/.test(stream));
  assert.ok(gzipped(stream) < 2700, `${gzipped(stream)}`);
  assert.ok(nothing.length < 100, `nothing happens at import: ${nothing}`);
  assert.ok(!/node:|process\./.test(whole));
});
