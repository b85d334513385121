import type { Media } from "../../src/lib/media/media.ts";

/** Media for tests of other parts: all content stays where it is. */
export function createInlineMedia(): Media {
  return {
    store: async (_key, parts) => parts,
    load: async (_key, part) => Buffer.from(part.raw ?? part.text ?? "", part.raw === undefined ? "utf8" : "base64"),
    present: async (_key, json) => json,
    fitTask: async (_key, task) => task,
  };
}
