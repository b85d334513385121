import assert from "node:assert/strict";
import test from "node:test";
import { readRetryAfter } from "./retry-after.ts";

test("Retry-After is seconds or a date", () => {
  const now = Date.parse("2026-01-01T00:00:00Z");
  assert.equal(readRetryAfter("7", now), 7000);
  assert.equal(readRetryAfter("Thu, 01 Jan 2026 00:00:30 GMT", now), 30_000);
  assert.equal(readRetryAfter("Wed, 31 Dec 2025 00:00:00 GMT", now), 0);
  assert.equal(readRetryAfter("soon", now), undefined);
  assert.equal(readRetryAfter(null, now), undefined);
});
