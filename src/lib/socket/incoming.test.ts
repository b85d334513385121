import assert from "node:assert/strict";
import { test } from "node:test";
import { createIncoming } from "./incoming.ts";

const KB = 1024;
const PING = frame(0x89, 5);

/** A masked frame of a client: its first byte, and the length of its payload. */
function frame(first: number, length: number): Buffer {
  const size = Buffer.alloc(length < 126 ? 1 : length < 65_536 ? 3 : 9);
  if (length < 126) size[0] = length;
  else if (length < 65_536) {
    size[0] = 126;
    size.writeUInt16BE(length, 1);
  } else {
    size[0] = 127;
    size.writeBigUInt64BE(BigInt(length), 1);
  }
  size[0] = (size[0] ?? 0) | 0x80;
  return Buffer.concat([Buffer.from([first]), size, Buffer.alloc(4 + length, 0xff)]);
}

const begun = (length: number): Buffer => frame(0x01, length);
const more = (length: number): Buffer => frame(0x00, length);
const last = (length: number): Buffer => frame(0x80, length);
const whole = (length: number): Buffer => frame(0x81, length);

test("messages under way are counted together, beside the first 64 KiB of each, until they are whole", () => {
  const incoming = createIncoming({ maxBytes: 100 * KB, maxMessageBytes: 1000 * KB });
  const [first, second, third] = [incoming(), incoming(), incoming()];
  assert.ok(first.read(begun(64 * KB)) && second.read(begun(64 * KB)) && third.read(begun(64 * KB)), "the first of each are free");
  assert.ok(first.read(more(60 * KB)) && second.read(more(40 * KB)), "100 KiB are held");
  assert.equal(third.read(more(1)), false);
  third.end();
  const fourth = incoming();
  for (let n = 0; n < 100; n += 1) assert.ok(fourth.read(whole(60 * KB)), "small ones get through all the while");
  assert.ok(first.read(last(10)), "whole");
  assert.ok(fourth.read(begun(120 * KB)));
  assert.equal(second.read(more(20 * KB)), false);
});

test("frames are followed wherever they are cut, and control frames between those of a message do not end it", () => {
  const bytes = Buffer.concat([whole(0), whole(70_000), begun(200), PING, more(300), last(0), begun(70_000), PING, more(5)]);
  for (const size of [1, 2, 3, 7, 13, 1000, bytes.length]) {
    const incoming = createIncoming({ maxBytes: 4468, maxMessageBytes: 1000 * KB });
    const one = incoming();
    for (let at = 0; at < bytes.length - 5; at += size) one.read(bytes.subarray(at, Math.min(at + size, bytes.length - 5)));
    // 70,000 bytes are open: 4,464 beside the free ones.
    assert.equal(one.read(bytes.subarray(bytes.length - 5, bytes.length - 1)), true, `in pieces of ${size}`);
    assert.equal(one.read(bytes.subarray(bytes.length - 1)), false, `in pieces of ${size}`);
  }
});

test("what is compressed counts as what it may become", () => {
  const incoming = createIncoming({ maxBytes: 1000 * KB, maxMessageBytes: 600 * KB });
  const [first, second] = [incoming(), incoming()];
  assert.ok(first.read(frame(0x41, 30 * KB)));
  assert.equal(second.read(frame(0x41, 30 * KB)), false);
  second.end();
  assert.ok(incoming().read(frame(0xc1, 30 * KB)), "a whole one is not held");
});
