import assert from "node:assert/strict";
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import { type AddressInfo, connect } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { openTextBody } from "./text-body.ts";

/** A server whose answer is what `stream` writes; its responses come to `answer` in turn. */
async function serve(t: TestContext, answer: (response: ServerResponse, path: string) => Promise<void>): Promise<number> {
  const server = createServer((request, response) => void answer(response, request.url ?? ""));
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => {
    server.closeAllConnections();
    server.close();
  });
  return (server.address() as AddressInfo).port;
}

function start(response: ServerResponse): ReturnType<typeof openTextBody> {
  response.writeHead(200, { "content-type": "text/plain; charset=utf-8" });
  response.flushHeaders();
  return openTextBody(response);
}

/** All that comes over a bare socket for `request`, until the server closes. */
async function raw(port: number, request: string): Promise<string> {
  const socket = connect(port, "127.0.0.1").setEncoding("utf8");
  socket.write(request);
  let text = "";
  for await (const chunk of socket as AsyncIterable<string>) text += chunk;
  return text;
}

describe("text body", () => {
  it("arrives whole, whatever its characters, and leaves the connection fit for the next request", async (t) => {
    const pieces = ["plain", "", "é ß ÿ", "日本語 🙂", "\r\n0\r\n\r\n", "x".repeat(200_000)];
    const port = await serve(t, async (response) => {
      const body = start(response);
      for (const piece of pieces) if (!body.write(piece)) await body.drained();
      response.end();
    });
    for (let times = 0; times < 3; times += 1) {
      const answer = await fetch(`http://127.0.0.1:${port}/`);
      assert.equal(await answer.text(), pieces.join(""));
    }
  });

  it("is not chunked for HTTP/1.0", async (t) => {
    const port = await serve(t, async (response) => {
      start(response).write("one");
      response.end();
    });
    const text = await raw(port, "GET / HTTP/1.0\r\nhost: a\r\n\r\n");
    assert.match(text, /\r\n\r\none$/);
    assert.doesNotMatch(text, /transfer-encoding/i);
  });

  it("waits for its turn on a connection with two requests at once", async (t) => {
    const both = Promise.withResolvers<void>();
    const port = await serve(t, async (response, path) => {
      const body = start(response);
      if (path === "/2") both.resolve();
      await both.promise;
      body.write(`<${path} begins>`);
      await new Promise(setImmediate);
      body.write(`<${path} ends>`);
      response.end();
    });
    const text = await raw(port, "GET /1 HTTP/1.1\r\nhost: a\r\n\r\nGET /2 HTTP/1.1\r\nhost: a\r\nconnection: close\r\n\r\n");
    assert.match(text, /<\/1 begins>[^]*<\/1 ends>[^]*\r\n0\r\n\r\nHTTP\/1\.1 200[^]*<\/2 begins>[^]*<\/2 ends>/);
  });

  it("says when the reader is slow, and goes on when it reads or leaves", async (t) => {
    const full = Promise.withResolvers<void>();
    const drained = Promise.withResolvers<void>();
    const left = Promise.withResolvers<void>();
    const port = await serve(t, async (response) => {
      const body = start(response);
      const piece = "y".repeat(100_000);
      const fill = (): void => {
        while (!response.destroyed && body.write(piece));
      };
      fill();
      full.resolve();
      await body.drained();
      drained.resolve();
      while (!response.destroyed) {
        fill();
        await body.drained();
      }
      left.resolve();
    });
    const socket = connect(port, "127.0.0.1");
    socket.pause().write("GET / HTTP/1.1\r\nhost: a\r\n\r\n");
    await full.promise;
    socket.resume();
    await drained.promise;
    socket.destroy();
    await left.promise;
  });
});
