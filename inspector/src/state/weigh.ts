import type { Part } from "../../../src/lib/model/a2a.ts";
import type { StreamEntry } from "../../../src/lib/model/api.ts";

/** What an entry takes beside its contents, bytes: some objects and ids. */
const ENTRY_BYTES = 400;

/** About how much memory an entry takes, bytes. */
export function weigh({ event }: StreamEntry): number {
  if ("artifactUpdate" in event) return ENTRY_BYTES + partsSize(event.artifactUpdate.artifact.parts);
  return ENTRY_BYTES + 2 * JSON.stringify(event).length;
}

function partsSize(parts: readonly Part[]): number {
  let size = 0;
  for (const { text, raw, data } of parts) size += 2 * ((text ?? raw)?.length ?? (data === undefined ? 100 : JSON.stringify(data).length));
  return size;
}
