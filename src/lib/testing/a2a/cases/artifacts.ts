import assert from "node:assert/strict";
import type { Json } from "../../../model/a2a.ts";
import type { BindingCase } from "../conformance-case.ts";
import { getTask, sendUntil } from "../talk.ts";
import type { WireTask } from "../shapes.ts";

type Check = (part: NonNullable<NonNullable<WireTask["artifacts"]>[number]["parts"][number]>) => void;

const file = (part: Parameters<Check>[0]): void => assert.deepEqual([part.filename, part.mediaType], ["output.txt", "text/plain"]);

const KINDS: readonly (readonly [id: string, prefix: string, what: string, check: Check])[] = [
  ["text", "tck-artifact-text", "text", (part) => assert.equal(part.text, "Generated text content")],
  ["file", "tck-artifact-file", "a file's bytes, with its name and type", (part) => (file(part), assert.equal(part.raw, "dGNr"))],
  [
    "file-url",
    "tck-artifact-file-url",
    "a file's address, with its name and type",
    (part) => (file(part), assert.equal(part.url, "https://example.com/output.txt")),
  ],
  ["data", "tck-artifact-data", "structured data", (part) => assert.deepEqual(part.data satisfies Json | undefined, { key: "value", count: 42 })],
];

/** Artifacts and the four kinds of parts (specification 4.1.6, 4.1.7). */
export const artifactCases: readonly BindingCase[] = KINDS.map(([id, prefix, what, check]) => ({
  scope: "binding",
  id: `artifact.${id}`,
  level: "MUST",
  spec: "4.1.6",
  title: `an artifact carries ${what}, in the answer and afterwards`,
  covers: ["DM-ART-001", "DM-PART-001"],
  run: async (context) => {
    const answered = await sendUntil(context, "TASK_STATE_COMPLETED", prefix);
    for (const task of [answered, await getTask(context, answered.id)]) {
      assert.equal(task.artifacts?.length, 1, "one artifact");
      const parts = task.artifacts?.[0]?.parts ?? [];
      assert.equal(parts.length, 1, "one part");
      for (const part of parts) check(part);
    }
  },
}));
