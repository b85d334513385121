import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { checkRequest } from "./guards.ts";

const guards = { allowedHosts: new Set(["agents.example.com"]), allowedOrigins: new Set(["https://app.example.com"]) };

describe("checkRequest", () => {
  it("admits loopback in every spelling, and hosts that are allowed", () => {
    for (const host of ["127.0.0.1", "127.0.0.1:4000", "127.1.2.3", "localhost:80", "LOCALHOST", "[::1]:4000", "agents.example.com", "Agents.Example.com:443"])
      checkRequest(guards, { host });
  });

  it("refuses foreign and unreadable hosts", () => {
    for (const host of ["evil.example", "agents.example.com.evil.example", "127.0.0.1.evil.example", "localhost.evil.example", "10.0.0.1", "[::]", "0.0.0.0"]) {
      assert.throws(() => checkRequest(guards, { host }), { code: "forbidden", reason: "HOST_NOT_ALLOWED" }, host);
    }
    for (const host of [undefined, "", "a b", "a/b", "a@b", "a:b", "a:123456", "[::1", "é"])
      assert.throws(() => checkRequest(guards, { host }), { code: "invalid-request" }, String(host));
  });

  it("admits the server's own origin and allowed ones, and no other", () => {
    const host = "127.0.0.1:4000";
    for (const origin of [undefined, "http://127.0.0.1:4000", "https://app.example.com"]) checkRequest(guards, { host, origin });
    for (const origin of [
      "null",
      "http://127.0.0.1:4001",
      "http://localhost:4000",
      "https://evil.example",
      "https://app.example.com.evil.example",
      "file://",
      "x",
    ]) {
      assert.throws(() => checkRequest(guards, { host, origin }), { code: "forbidden", reason: "ORIGIN_NOT_ALLOWED" }, origin);
    }
  });
});
