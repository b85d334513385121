import assert from "node:assert/strict";
import test from "node:test";
import { choicesOf, readValues } from "./form.ts";

const schema = {
  properties: {
    city: { type: "string" },
    seats: { type: "integer" },
    window: { type: "boolean" },
    stars: { type: "integer", enum: [1, 2, 3] },
    meals: { type: "array", items: { type: "string", enum: ["breakfast", "dinner"] } },
    size: {
      type: "string",
      oneOf: [
        { const: "s", title: "Small" },
        { const: "l", title: "Large" },
      ],
    },
  },
  required: [],
};

test("an answer has the types of its schema", () => {
  const data = new FormData();
  for (const [name, value] of [
    ["city", "Lima"],
    ["seats", "2"],
    ["stars", "3"],
    ["meals", "breakfast"],
    ["meals", "dinner"],
    ["size", "l"],
  ] as const)
    data.append(name, value);
  assert.deepEqual(readValues(schema, data), { city: "Lima", seats: 2, window: false, stars: 3, meals: ["breakfast", "dinner"], size: "l" });
});

test("what was left empty is left out", () => {
  const data = new FormData();
  data.append("city", "");
  data.append("stars", "");
  assert.deepEqual(readValues(schema, data), { window: false, meals: [] });
});

test("choices have the titles that the schema gives them", () => {
  assert.deepEqual(choicesOf(schema.properties.size), [
    { value: "s", title: "Small" },
    { value: "l", title: "Large" },
  ]);
  assert.deepEqual(choicesOf({ enum: ["a", "b"], enumNames: ["First"] }), [
    { value: "a", title: "First" },
    { value: "b", title: "b" },
  ]);
  assert.equal(choicesOf({ type: "string" }), undefined);
});
