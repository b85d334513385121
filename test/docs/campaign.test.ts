import assert from "node:assert/strict";
import { test } from "node:test";
import { Ajv2020 } from "ajv/dist/2020.js";
import { parse } from "yaml";
import { campaignSchema } from "../../scripts/campaign-schema.ts";
import { readCampaign } from "../../src/lib/campaign/read-campaign.ts";
import { readScenario } from "../../src/lib/campaign/read-scenario.ts";
import { projectFiles, read } from "../support/tree.ts";

const PAGE = "docs/reference/campaign.md";

/** Fenced blocks of a language in all documents. */
function blocks(language: string): { readonly place: string; readonly text: string }[] {
  return projectFiles()
    .filter((file) => file.endsWith(".md"))
    .flatMap((file) => [...read(file).matchAll(new RegExp(`^\`\`\`${language}\\n([^]*?)^\`\`\`$`, "gm"))].map(([, text = ""]) => ({ place: file, text })));
}

test("docs/reference/campaign.schema.json is made from the schema that reads campaigns", () => {
  assert.equal(read("docs/reference/campaign.schema.json"), campaignSchema(), "run npm run -s campaign-schema > docs/reference/campaign.schema.json");
});

test("every campaign in the documents can be read, and fits the JSON schema", () => {
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(JSON.parse(campaignSchema()) as object);
  const campaigns = blocks("yaml").filter(({ text }) => /^subjects:/m.test(text));
  assert.ok(campaigns.some(({ place }) => place === PAGE));
  for (const { place, text } of campaigns) {
    assert.ok(readCampaign(text, { path: place, readFile: () => '{"prompt":"a","expected":"b"}' }).items.length > 0);
    assert.ok(validate(parse(text)), `${place}: ${JSON.stringify(validate.errors)}`);
  }
  const scenarios = blocks("toml").filter(({ text }) => text.includes("[green_agent]"));
  assert.ok(scenarios.length > 0);
  for (const { place, text } of scenarios) assert.ok(readScenario(text, `${place}.toml`).commands.length > 0);
});

test("the JSON schema refuses what the reader refuses", () => {
  const validate = new Ajv2020({ strict: false, validateFormats: false }).compile(JSON.parse(campaignSchema()) as object);
  const small = { name: "n", items: [{ prompt: "a", expected: 1 }], subjects: ["http://x"] };
  assert.equal(validate(small), true);
  const wrong = [
    { ...small, itmes: [] },
    { ...small, thresholds: { gapMs: "soon" } },
    { ...small, green: { kind: "regx" } },
    { ...small, items: [] },
    { ...small, repeat: 0 },
    { name: "n" },
  ];
  for (const one of wrong) {
    assert.equal(validate(one), false, JSON.stringify(one));
    assert.throws(() => readCampaign(JSON.stringify(one), { path: "x", readFile: () => "" }), { code: "configuration" });
  }
});

test("docs/reference/campaign.md explains every member", () => {
  const page = read(PAGE);
  const names = new Set(
    [...campaignSchema().matchAll(/"(\w[\w-]*)": \{\n\s+"(?:type|anyOf|description|minItems|\$ref|format|propertyNames)/g)].map(([, name = ""]) => name),
  );
  for (const other of ["properties", "items", "additionalProperties", "propertyNames", "$defs"]) names.delete(other);
  assert.ok(names.size > 40);
  assert.deepEqual(
    [...names].filter((name) => !page.includes(`\`${name}\``) && !page.includes(`\`retries.${name}\``) && !page.includes(`\`timeout.${name}\``)),
    [],
  );
});
