import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import type { Part, StreamResponse, Task } from "./a2a.ts";
import { encodeEvent } from "./entry.ts";
import { createFold } from "./fold.ts";

const TASK: StreamResponse = { task: { id: "task", contextId: "context", status: { state: "TASK_STATE_WORKING" } } };

function update(parts: readonly Part[], append: boolean): StreamResponse {
  return { artifactUpdate: { taskId: "task", contextId: "context", artifact: { artifactId: "a", parts }, append } };
}

function foldOf(events: readonly StreamResponse[], look?: (task: Task | undefined, index: number) => void): Task | undefined {
  const fold = createFold();
  events.forEach((event, index) => {
    fold.apply({ seq: index + 1, gen: index + 1, at: 0, attempt: 1, audience: "public", event: encodeEvent(event) }, event);
    look?.(fold.task(), index);
  });
  return fold.task();
}

describe("fold", () => {
  it("joins neighbouring plain texts of an artifact into one part, and nothing else, whenever it is looked at", () => {
    const part = fc.oneof(
      { weight: 5, arbitrary: fc.record({ text: fc.string() }) },
      fc.record({ text: fc.string(), mediaType: fc.constant("text/markdown") }),
      fc.record({ url: fc.constant("https://example.com/") }),
    );
    fc.assert(
      fc.property(fc.array(part, { maxLength: 40 }), fc.array(fc.nat(40)), (parts, looks) => {
        const events = [TASK, ...parts.map((one, index) => update([one], index > 0))];
        const joined: Part[] = [];
        for (const one of parts as Part[]) {
          const last = joined.at(-1);
          const bare = (value: Part | undefined): boolean => value?.text !== undefined && value.mediaType === undefined;
          if (bare(last) && bare(one)) joined[joined.length - 1] = { text: `${last?.text}${one.text}` };
          else joined.push(one);
        }
        const task = foldOf(events, (seen, index) => {
          if (looks.includes(index)) JSON.stringify(seen);
        });
        assert.deepEqual(task?.artifacts?.[0]?.parts ?? [], joined);
      }),
    );
  });

  it("gives copies that later entries do not change", () => {
    const seen: (string | undefined)[] = [];
    const tasks: (Task | undefined)[] = [];
    foldOf([TASK, update([{ text: "a" }], false), update([{ text: "b" }], true), update([{ text: "c" }], true)], (task) => {
      tasks.push(task);
      seen.push(JSON.stringify(task?.artifacts));
    });
    assert.deepEqual(
      tasks.map((task) => JSON.stringify(task?.artifacts)),
      seen,
    );
  });

  it("holds the text of 100,000 tokens whole", () => {
    const events: StreamResponse[] = [TASK];
    for (let index = 0; index < 100_000; index += 1) events.push(update([{ text: `${index} ` }], index > 0));
    const text = foldOf(events)?.artifacts?.[0]?.parts[0]?.text ?? "";
    assert.equal(text, Array.from({ length: 100_000 }, (_, index) => `${index} `).join(""));
  });
});
