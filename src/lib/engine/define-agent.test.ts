import assert from "node:assert/strict";
import { test } from "node:test";
import { a2a } from "./a2a.ts";
import type { AgentOptions } from "./agent.ts";
import { defineAgent } from "./define-agent.ts";
import { scripted } from "./scripted.ts";

const engine = scripted([]);

test("an id and an engine are enough", () => {
  const agent = defineAgent({ id: "helper", engine });
  assert.equal(agent.name, "helper");
  assert.deepEqual(
    agent.skills.map(({ id }) => id),
    ["helper"],
  );
  assert.deepEqual([agent.replies, agent.onInput, agent.onCrash], ["task", "queue", "safe"]);
  assert.deepEqual(agent.expose, { reasoning: false, toolArguments: false });
  assert.ok(agent.streaming && agent.pushNotifications);
});

test("what is given stands, and undefined means the default", () => {
  const given = { id: "helper", engine, name: "Helper", replies: "either", ...({ onCrash: undefined } as object) } as AgentOptions;
  const agent = defineAgent(given);
  assert.deepEqual([agent.name, agent.replies, agent.onCrash], ["Helper", "either", "safe"]);
});

test("an agent takes the files that it names, else those that its engine names, else text and JSON", () => {
  const seeing = { ...engine, inputModes: ["text/plain", "image/*"] };
  assert.deepEqual(defineAgent({ id: "a", engine: seeing, inputModes: ["text/plain"] }).inputModes, ["text/plain"]);
  assert.deepEqual(defineAgent({ id: "a", engine: seeing }).inputModes, ["text/plain", "image/*"]);
  assert.deepEqual(defineAgent({ id: "a", engine }).inputModes, ["text/plain", "application/json"]);
  assert.deepEqual(defineAgent({ id: "a", engine: a2a({ url: "http://127.0.0.1:1" }) }).inputModes, ["*/*"]);
});

const wrong: readonly (readonly [string, object, RegExp])[] = [
  ["a missing id", { engine }, /An agent cannot be defined: id undefined does not fit/],
  ["an id with a slash", { id: "a/b", engine }, /id "a\/b" does not fit/],
  ["an id with capitals", { id: "Helper", engine }, /id "Helper" does not fit/],
  ["an id of 65 characters", { id: "a".repeat(65), engine }, /does not fit/],
  ["a reserved id", { id: "metrics", engine }, /"metrics".*server's own/],
  ["no engine", { id: "a" }, /engine must be an Engine/],
  ["an option that does not exist", { id: "a", engine, modle: 1 }, /unknown option "modle"; known are/],
  ["a choice that does not exist", { id: "a", engine, onCrash: "retry" }, /onCrash is "retry"; it can be "safe", "restart", "fail"/],
  ["an empty name", { id: "a", engine, name: " " }, /name must be a text that is not empty/],
  ["a mode of the engine that is no media type", { id: "a", engine: { ...engine, inputModes: ["image"] } }, /inputModes holds "image"/],
  ["a mode that is no media type", { id: "a", engine, inputModes: ["text"] }, /inputModes holds "text"/],
  ["two skills of one id", { id: "a", engine, skills: [skill("s"), skill("s")] }, /"s" does not/],
  ["an owner that is no caller", { id: "a", engine, owner: { user: "ann" } }, /owner is \{"user":"ann"\}; it must be \{ tenant, user \}/],
  ["a limit of 0", { id: "a", engine, maxArtifactBytes: { limit: 0, policy: "fail" } }, /at least 1/],
];

for (const [title, options, message] of wrong) {
  test(`${title} is refused with a sentence that says what is right`, () => {
    assert.throws(() => defineAgent(options as AgentOptions), { code: "configuration", message });
  });
}

function skill(id: string): AgentOptions["skills"] extends readonly (infer S)[] | undefined ? S : never {
  return { id, name: id, description: id, tags: [] };
}
