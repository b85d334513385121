import assert from "node:assert/strict";
import { test } from "node:test";
import { createPlaces } from "./places.ts";

test("places are so many in all and so many of one owner, and come back once", () => {
  const places = createPlaces({ max: 3, perOwner: 2, refuse: (taken, of) => new Error(`${taken} ${of}`) });
  const [first] = [places.take("a"), places.take("a")];
  assert.throws(() => places.take("a"), /^Error: 2 owner$/);
  const other = places.take("b");
  assert.throws(() => places.take("c"), /^Error: 3 all$/);
  assert.throws(() => places.take("a"), /^Error: 3 all$/);
  other[Symbol.dispose]();
  other[Symbol.dispose]();
  assert.equal(places.taken, 2);
  assert.throws(() => places.take("a"), /^Error: 2 owner$/);
  first[Symbol.dispose]();
  places.take("a")[Symbol.dispose]();
  assert.equal(places.taken, 1);
});
