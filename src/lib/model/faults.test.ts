import assert from "node:assert/strict";
import { test } from "node:test";
import { z } from "zod";
import { MAX_FAULTS, toFaults } from "./faults.ts";

const faultsOf = (schema: z.ZodType, value: unknown) => toFaults(schema.safeParse(value).error?.issues ?? [], "body");

test("a fault names its field by its path, and what is right", () => {
  const schema = z.object({ name: z.string(), tags: z.array(z.string().min(1, "must not be empty")) });
  assert.deepEqual(faultsOf(schema, { tags: ["a", "", 3] }), [
    { field: "name", description: "is required (string)" },
    { field: "tags.1", description: "must not be empty" },
    { field: "tags.2", description: "must be of type string, not number" },
  ]);
  assert.deepEqual(faultsOf(schema, "text"), [{ field: "body", description: "must be of type object, not string" }]);
});

test("of very many faults the first are named", () => {
  assert.equal(
    faultsOf(
      z.array(z.string()),
      Array.from({ length: 100 }, () => 1),
    ).length,
    MAX_FAULTS,
  );
});
