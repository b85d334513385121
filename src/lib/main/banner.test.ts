import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import test from "node:test";
import { agentOf } from "../../../test/support/serving.ts";
import { banner } from "./banner.ts";
import { DEFAULT_SETTINGS } from "./settings.ts";

const agent = (example: string) => agentOf(async function* () {}, { skills: [{ id: "s", name: "s", description: "s", tags: [], examples: [example] }] });
const server = (example = "Rivers, please") => {
  const one = agent(example);
  return { url: "http://127.0.0.1:4000", grpcAddress: "127.0.0.1:4001", agents: new Map([[one.id, one]]), durability: "process" as const };
};

test("the banner says where, who answers, what is kept, who may call, and what to try", () => {
  const text = banner(server(), DEFAULT_SETTINGS, "a scripted model");
  assert.match(text, /is ready: http:\/\/127\.0\.0\.1:4000 {3}gRPC 127\.0\.0\.1:4001\n/);
  assert.match(text, /agents {3}http:\/\/127\.0\.0\.1:4000\/a2a\/agent\n/);
  assert.match(text, /model {4}a scripted model; --model <name> for a real one\n/);
  assert.match(text, /streams {2}SQLite in \.\/\.data: survives a killed process\n/);
  assert.match(text, /callers {2}anybody on this machine, as one local user\n/);
  assert.match(text, /chat http:\/\/127\.0\.0\.1:4000\/a2a\/agent "Rivers, please"\n/);
  assert.match(banner(server(), { ...DEFAULT_SETTINGS, log: "memory" }, undefined), /streams {2}in memory/);
  assert.match(banner(server(), { ...DEFAULT_SETTINGS, host: "0.0.0.0" }, undefined), /callers {2}ANYBODY/);
});

test("with authentication the lines to try have a place for the key; read only, they only read", () => {
  const keys = banner(server(), { ...DEFAULT_SETTINGS, auth: { kind: "api-keys", file: "keys.json" } }, undefined);
  assert.match(keys, /callers {2}those with an API key of the file: --token <key>, or on the page\n/);
  assert.match(keys, /open http:\/\/127\.0\.0\.1:4000\n/);
  assert.match(keys, /chat .* --token <key>\n/);
  assert.match(keys, /curl .*-H 'Authorization: Bearer <key>'/);
  const tokens = banner(
    server(),
    { ...DEFAULT_SETTINGS, auth: { kind: "jwt", jwks: "jwks.json", issuer: "https://issuer.example.com", audience: "ias" } },
    undefined,
  );
  assert.match(tokens, /callers {2}those with a token of the issuer: --token <key>, or on the page\n/);
  const reading = banner(server(), { ...DEFAULT_SETTINGS, readOnly: true }, undefined);
  assert.match(reading, /read only, no messages are taken/);
  assert.ok(!reading.includes(" chat ") && !reading.includes("curl"));
});

test("what an agent gives as an example cannot run in the shell that the lines are pasted into", () => {
  for (const example of ["$(echo pwned)", '"; echo pwned; "', "it's `echo pwned`", "a!b \\"]) {
    const lines = banner(server(example), DEFAULT_SETTINGS, undefined)
      .split("\n")
      .map((line) => line.trim());
    const chat = lines.find((line) => line.includes(" chat "))?.replace(/^.* chat \S+ /, "printf %s ") ?? assert.fail();
    assert.equal(execFileSync("sh", ["-c", chat], { encoding: "utf8" }), example);
    const curl = lines.find((line) => line.startsWith("curl"))?.replace(/^.* -d /, "printf %s ") ?? assert.fail();
    assert.equal((JSON.parse(execFileSync("sh", ["-c", curl], { encoding: "utf8" })) as { readonly method: string }).method, "SendStreamingMessage");
  }
});
