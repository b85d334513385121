// Prints docs/reference/campaign.schema.json from the schema that reads campaigns: `npm run -s campaign-schema > docs/reference/campaign.schema.json`. A test compares the two.
import { z } from "zod";
import { campaignFileSchema } from "../src/lib/campaign/file-schema.ts";

/** JSON Schema 2020-12 of a campaign's file, for editors. What a form cannot say (ids are unique) is checked when the file is read. */
export function campaignSchema(): string {
  const { $schema, $defs, ...schema } = z.toJSONSchema(campaignFileSchema, { io: "input", reused: "inline" });
  const named = Object.fromEntries(Object.entries($defs ?? {}).filter(([name]) => !isAnyJson(name)));
  const head = { $schema, title: "A campaign of Infinite Agent Streams", description: "docs/reference/campaign.md explains it" };
  return `${JSON.stringify({ ...head, ...schema, $defs: named }, withoutAnyJson, 2)}\n`;
}

/** zod spells "any JSON value" out, once for each place. */
function isAnyJson(name: string): boolean {
  return name.startsWith("__schema");
}

function withoutAnyJson(_: string, value: unknown): unknown {
  if (value === null || typeof value !== "object" || !("$ref" in value) || !isAnyJson(String(value.$ref).replace("#/$defs/", ""))) return value;
  const { $ref: _any, ...rest } = value;
  return rest;
}

if (import.meta.main) process.stdout.write(campaignSchema());
