import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { DEFAULT_LIMITS } from "../model/limits.ts";
import { forTenant, parseJsonBody, readExtensions, readVersion } from "./binding.ts";

const request = (headers: Record<string, string>, query = "") => ({ header: (name: string) => headers[name], query: new URLSearchParams(query) });

describe("service parameters", () => {
  it("read the version from header or query; none is 0.3, a patch number does not matter", () => {
    assert.equal(readVersion(request({ "a2a-version": "1.0" })), "1.0");
    assert.equal(readVersion(request({ "a2a-version": " 1.0.1 " })), "1.0");
    assert.equal(readVersion(request({}, "A2A-Version=1.0")), "1.0");
    assert.equal(readVersion(request({}, "x=2&a2a-version=1.0")), "1.0");
    assert.equal(readVersion(request({ "a2a-version": "0.3" }, "a2a-version=1.0")), "0.3");
    assert.equal(readVersion(request({})), "0.3");
    assert.equal(readVersion(request({ "a2a-version": "" })), "0.3");
    assert.equal(readVersion(request({ "a2a-version": "0.3.0" })), "0.3");
    for (const version of ["2.0", "1", "1.1", "0.2", "x", "1.0.x"])
      assert.throws(() => readVersion(request({ "a2a-version": version })), { code: "version-not-supported" });
  });

  it("read extensions from both headers", () => {
    assert.deepEqual([...readExtensions(request({ "a2a-extensions": "urn:a, urn:b,,", "x-a2a-extensions": "urn:c" }))], ["urn:a", "urn:b", "urn:c"]);
    assert.equal(readExtensions(request({})).size, 0);
  });

  it("keep tenants apart: the local user may name any, an authenticated one only its own", () => {
    assert.deepEqual(forTenant({ tenant: "", user: "local" }, "a"), { tenant: "a", user: "local" });
    assert.deepEqual(forTenant({ tenant: "a", user: "u" }, "a"), { tenant: "a", user: "u" });
    assert.deepEqual(forTenant({ tenant: "a", user: "u" }, undefined), { tenant: "a", user: "u" });
    assert.throws(() => forTenant({ tenant: "a", user: "u" }, "b"), { code: "forbidden" });
    assert.throws(() => forTenant({ tenant: "", user: "local" }, "x".repeat(257)), { code: "invalid-params" });
  });
});

describe("parseJsonBody", () => {
  it("refuses what is not UTF-8 JSON", () => {
    for (const body of [Buffer.from([0x22, 0xff, 0x22]), Buffer.from("{"), Buffer.from(""), Buffer.from("nope"), Buffer.from([0xfe, 0xff, 0x00, 0x7b])]) {
      assert.throws(() => parseJsonBody(body, DEFAULT_LIMITS), { code: "parse-error" });
    }
  });

  it("refuses deep nesting before it is parsed, and is not fooled by brackets in strings", () => {
    assert.deepEqual(
      parseJsonBody(Buffer.from(`"${"[".repeat(100)}\\"${"{".repeat(100)}"`), { maxJsonDepth: 2, maxJsonValues: 1 }),
      `${"[".repeat(100)}"${"{".repeat(100)}`,
    );
    assert.throws(() => parseJsonBody(Buffer.from("[".repeat(1_000_000)), DEFAULT_LIMITS), { code: "invalid-request", reason: "TOO_DEEP" });
    assert.deepEqual(parseJsonBody(Buffer.from("[[1],[2],[3]]"), { maxJsonDepth: 2, maxJsonValues: 7 }), [[1], [2], [3]]);
  });

  it("refuses very many values before they are parsed, and does not count what stands in strings", () => {
    for (const body of [`[${"0,".repeat(200_000)}0]`, "[".repeat(60) + "{},".repeat(200_000), `{"a":[${"[],".repeat(60_000)}[]]}`])
      assert.throws(() => parseJsonBody(Buffer.from(body), DEFAULT_LIMITS), { code: "too-large", reason: "TOO_MANY_VALUES" });
    assert.equal(parseJsonBody(Buffer.from(`"${",[{".repeat(200_000)}"`), DEFAULT_LIMITS), ",[{".repeat(200_000));
    assert.throws(() => parseJsonBody(Buffer.from("[[1],[2],[3]]"), { maxJsonDepth: 2, maxJsonValues: 6 }), { code: "too-large" });
  });
});
