import assert from "node:assert/strict";
import { test } from "node:test";
import { createIncoming } from "./incoming.ts";

const KB = 1024;

test("messages under way are counted together, beside the first 64 KiB of each, until they are whole", () => {
  const incoming = createIncoming(100 * KB);
  const [first, second, third] = [incoming(), incoming(), incoming()];
  assert.ok(first.add(64 * KB) && second.add(64 * KB) && third.add(64 * KB), "the first of each are free");
  assert.ok(first.add(60 * KB) && second.add(40 * KB), "100 KiB are held");
  assert.equal(third.add(1), false);
  third.clear();
  assert.ok(third.add(64 * KB), "small ones get through all the while");
  first.clear();
  assert.ok(third.add(60 * KB));
  assert.equal(second.add(1), false);
});
