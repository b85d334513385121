import assert from "node:assert/strict";
import { once } from "node:events";
import http from "node:http";
import type { AddressInfo } from "node:net";
import test, { type TestContext } from "node:test";
import { runIas } from "../../../test/support/run-ias.ts";
import { agentOf, serving } from "../../../test/support/serving.ts";
import { cardCommand } from "./card.ts";

const ias = (...argv: string[]): ReturnType<typeof runIas> => runIas([cardCommand], argv);

async function cardServer(t: TestContext, card: unknown): Promise<string> {
  const server = http
    .createServer((_request, response) => response.setHeader("content-type", "application/json").end(JSON.stringify(card)))
    .listen(0, "127.0.0.1");
  await once(server, "listening");
  t.after(() => server.close());
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("ias card says that our own card is right", async (t) => {
  const skills = [{ id: "s", name: "s", description: "s", tags: ["t"] }];
  const server = await serving(t, [agentOf(async function* () {}, { description: "Helps", skills })]);
  const { code, out } = await ias("card", server.url, "--all");
  assert.equal(code, 0, out);
  assert.match(out, /ok {3}MUST {3}4\.4\.1 name/);
  assert.match(out, /broken: 0 MUST, 0 SHOULD/);
  const json = JSON.parse((await ias("card", server.url, "--json")).out) as { readonly right: boolean; readonly findings: readonly unknown[] };
  assert.equal(json.right, true);
  assert.ok(json.findings.length > 20);
});

test("ias card names the broken rules of a wrong card, exits 3, and shows no control characters", async (t) => {
  const { code, out } = await ias("card", await cardServer(t, { name: "\u001b[31mevil", skills: [] }));
  assert.equal(code, 3);
  assert.match(out, /FAIL MUST {3}8\.3\.1 supportedInterfaces\n +found absent\n +expected a list/);
  assert.ok(!out.includes("\u001b"));
});

test("ias card says where it looked when there is no card", async (t) => {
  const { code, err } = await ias("card", await cardServer(t, { hello: "world" }));
  assert.equal(code, 1);
  assert.match(err, /No agent card at .*agent-card\.json \(not an agent card\)/);
});
