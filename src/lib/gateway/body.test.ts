import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer } from "node:http";
import { type AddressInfo, connect } from "node:net";
import test, { type TestContext } from "node:test";
import { IasError } from "../model/errors.ts";
import { createBodyReader } from "./body.ts";

/** A server that answers with what became of the body. `arrived` is called with each chunk. */
async function serve(t: TestContext, arrived: (bytes: number) => void = () => {}): Promise<number> {
  const read = createBodyReader({ maxBodyBytes: 400_000, maxBufferedBytes: 300_000 });
  const server = createServer((request, response) => {
    request.on("data", (chunk: Buffer) => arrived(chunk.length));
    request.pause();
    read(request).then(
      (body) => response.end(String(body.length)),
      (error: unknown) => response.setHeader("connection", "close").end(IasError.from(error).reason ?? IasError.from(error).code),
    );
  });
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

test("bodies that are under way together fill no more than maxBufferedBytes, and let small ones through", async (t) => {
  let received = 0;
  const whole = Promise.withResolvers<void>();
  const port = await serve(t, (bytes) => {
    received += bytes;
    if (received >= 330_000) whole.resolve();
  });
  const post = async (length: number): Promise<string> => (await fetch(`http://127.0.0.1:${port}`, { method: "POST", body: "x".repeat(length) })).text();
  const slow = connect(port, "127.0.0.1");
  slow.write(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 400000\r\n\r\n${"x".repeat(330_000)}`);
  await whole.promise;
  assert.equal(await post(60_000), "60000");
  assert.equal(await post(200_000), "TOO_MANY_BODIES");
  slow.write("x".repeat(70_000));
  await once(slow, "data");
  assert.equal(await post(200_000), "200000");
  assert.equal(await post(400_001), "too-large");
  slow.destroy();
});

test("a body that is broken off gives its room back", async (t) => {
  let received = 0;
  const whole = Promise.withResolvers<void>();
  const port = await serve(t, (bytes) => {
    received += bytes;
    if (received >= 330_000) whole.resolve();
  });
  const slow = connect(port, "127.0.0.1");
  slow.write(`POST / HTTP/1.1\r\nhost: a\r\ncontent-length: 400000\r\n\r\n${"x".repeat(330_000)}`);
  await whole.promise;
  slow.destroy();
  let said = "TOO_MANY_BODIES";
  while (said === "TOO_MANY_BODIES") said = await (await fetch(`http://127.0.0.1:${port}`, { method: "POST", body: "x".repeat(200_000) })).text();
  assert.equal(said, "200000");
});
