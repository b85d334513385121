import assert from "node:assert/strict";
import test from "node:test";
import { fromHttpError } from "./remote-error.ts";

test("Retry-After is understood in seconds and as a date", () => {
  const waitOf = (value: string): number | undefined => fromHttpError(429, "", new Headers({ "retry-after": value })).retryAfterMs;
  assert.equal(waitOf("7"), 7000);
  const wait = waitOf(new Date(Date.now() + 3_600_000).toUTCString());
  // The date has whole seconds.
  assert.ok(wait !== undefined && wait > 3_000_000 && wait <= 3_600_000, String(wait));
  assert.equal(waitOf("soon"), undefined);
});
