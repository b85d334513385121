import assert from "node:assert/strict";
import { test } from "node:test";
import { sumUp } from "./facts.ts";

const resume = { after: 10, first: 11, missed: 0, repeated: 0, tookMs: 812.4, opening: "resume" } as const;

test("what the cuts cost is said as it is", () => {
  assert.match(sumUp({ resumes: [], missed: 0, repeated: 0 }), /Cut the wire/);
  assert.equal(
    sumUp({ resumes: [resume], missed: 0, repeated: 0 }),
    "The wire was lost once, for 812 ms at the longest: no entry is missing and none came twice, by their numbers.",
  );
  assert.match(sumUp({ resumes: [resume, { ...resume, missed: 3 }], missed: 3, repeated: 1 }), /lost 2 times.*3 entries are missing and 1 came twice/);
});
