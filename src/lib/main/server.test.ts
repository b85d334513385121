import assert from "node:assert/strict";
import { once } from "node:events";
import { type IncomingMessage, request } from "node:http";
import { text } from "node:stream/consumers";
import test from "node:test";
import { agentOf, serving } from "../../../test/support/serving.ts";

/** The card, as a proxy asks for it that hands the Host header on. */
async function get(port: number, host: string): Promise<{ readonly status: number | undefined; readonly body: string }> {
  const asked = request({ host: "127.0.0.1", port, path: "/.well-known/agent-card.json", headers: { host } }).end();
  const [response] = (await once(asked, "response")) as [IncomingMessage];
  return { status: response.statusCode, body: await text(response) };
}

test("a server behind a public address has it in cards and answers to its names", async (t) => {
  const agent = agentOf(async function* () {});
  const behind = { publicUrl: "https://agents.example.com", grpcPort: 0 } as const;
  for (const [options, host] of [
    [{}, /^agents\.example\.com:\d+$/],
    [{ grpcPublicAddress: "grpc.example.com:443" }, /^grpc\.example\.com:443$/],
  ] as const) {
    const server = await serving(t, [agent], { ...behind, ...options });
    const card = JSON.parse((await get(server.port, "agents.example.com")).body) as {
      readonly supportedInterfaces: readonly { readonly url: string; readonly protocolBinding: string }[];
    };
    assert.match(card.supportedInterfaces.find(({ protocolBinding }) => protocolBinding === "GRPC")?.url ?? "", host);
    assert.match(server.grpcAddress ?? "", host);
    assert.equal((await get(server.port, "grpc.example.com")).status, "grpcPublicAddress" in options ? 200 : 403);
  }
  await assert.rejects(serving(t, [agent], { ...behind, grpcPublicAddress: "https://grpc.example.com" }), {
    code: "configuration",
    message: /host:port without a scheme/,
  });
});
