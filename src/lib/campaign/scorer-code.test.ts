import assert from "node:assert/strict";
import { resolve } from "node:path";
import test from "node:test";
import { campaignHash } from "./hash.ts";
import { loadCampaign } from "./load-campaign.ts";

const FILE = "name: n\nsubjects: [http://127.0.0.1:1/]\nitems: [a, { prompt: b, green: exact, expected: b }]\ngreen: { kind: function, module: score.ts }\n";

async function hashWith(files: Readonly<Record<string, string>>, folder = "/work"): Promise<string> {
  const all = new Map(Object.entries({ "campaign.yaml": FILE, ...files }).map(([name, text]) => [resolve(folder, name), text]));
  const { campaign, hash } = await loadCampaign(resolve(folder, "campaign.yaml"), (path) => all.get(path) ?? assert.fail(`no ${path}`));
  assert.equal(hash, campaignHash(campaign));
  return hash;
}

test("another code of a scorer, or of what it imports, is another campaign; the same code elsewhere is the same", async () => {
  const [score, help] = ['import { x } from "./lib/help.ts";\nimport "node:fs";\nexport default () => x;\n', 'import "../score.ts";\nexport const x = 1;\n'];
  const before = await hashWith({ "score.ts": score, "lib/help.ts": help });
  assert.equal(await hashWith({ "score.ts": score, "lib/help.ts": help }, "/elsewhere"), before);
  assert.notEqual(await hashWith({ "score.ts": `${score}// stricter`, "lib/help.ts": help }), before);
  assert.notEqual(await hashWith({ "score.ts": score, "lib/help.ts": `${help}export const y = 2;` }), before);
});

test("a scorer that is not there is for the check of what a campaign needs to tell", async () => {
  assert.equal(await hashWith({}), await hashWith({}));
});
