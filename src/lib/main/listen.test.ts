import assert from "node:assert/strict";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import test from "node:test";
import { IasError } from "../model/errors.ts";
import { firstFree, listen, PORT_TAKEN } from "./listen.ts";

const taken = (): IasError => new IasError("configuration", "taken", { reason: PORT_TAKEN });

test("without a port the next free one is taken, up to 20 further on", async () => {
  assert.equal(await firstFree(undefined, 4000, async (port) => (port < 4003 ? Promise.reject(taken()) : port)), 4003);
  const tried: number[] = [];
  await assert.rejects(
    firstFree(undefined, 4000, (port) => (tried.push(port), Promise.reject(taken()))),
    { reason: PORT_TAKEN },
  );
  assert.deepEqual([tried[0], tried.at(-1)], [4000, 4020]);
});

test("a port that was asked for is tried alone, and other failures are not tried again", async () => {
  const tried: number[] = [];
  await assert.rejects(firstFree(8080, 4000, (port) => (tried.push(port), Promise.reject(taken()))));
  await assert.rejects(firstFree(undefined, 4000, (port) => (tried.push(port), Promise.reject(new IasError("configuration", "no such address")))));
  assert.deepEqual(tried, [8080, 4000]);
});

test("listening says which port it has, that one is taken, or that an address is not this machine's", async (t) => {
  const [first, second] = [createServer(), createServer()];
  t.after(() => [first, second].map((server) => server.close()));
  const port = await listen(first, "127.0.0.1", 0);
  assert.equal(port, (first.address() as AddressInfo).port);
  await assert.rejects(listen(second, "127.0.0.1", port), {
    code: "configuration",
    reason: PORT_TAKEN,
    message: /is taken; choose another with --port or PORT/,
  });
  await assert.rejects(listen(second, "203.0.113.1", 0), { code: "configuration", reason: undefined, message: /cannot be listened on \(EADDRNOTAVAIL\)/ });
});
