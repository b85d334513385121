import type { Artifact, Part } from "../../model/a2a.ts";
import { splitText } from "../../model/cut-text.ts";

/** Largest JSON text of one artifact event, in UTF-16 units, below a server's `maxEntryBytes` in the usual case of text. */
const MAX_EVENT = 128 * 1024;
/** Longest piece of one text part, in UTF-16 units: at most 6 bytes each as JSON in UTF-8. */
const MAX_TEXT = 16 * 1024;

/** An artifact event as one or more that are small enough for entries: a snapshot of a remote task may hold megabytes. The first is as the whole was, the others append. */
export function splitArtifact(artifact: Artifact, append: boolean): readonly { readonly artifact: Artifact; readonly append: boolean }[] {
  if (JSON.stringify(artifact).length <= MAX_EVENT) return [{ artifact, append }];
  const groups: Part[][] = [[]];
  let size = 0;
  for (const part of artifact.parts.flatMap(splitPart)) {
    const own = JSON.stringify(part).length;
    if (size > 0 && size + own > MAX_EVENT) {
      groups.push([]);
      size = 0;
    }
    groups.at(-1)?.push(part);
    size += own;
  }
  return groups.map((parts, index) => ({
    artifact: index === 0 ? { ...artifact, parts } : { artifactId: artifact.artifactId, parts },
    append: append || index > 0,
  }));
}

/** A long text part as several; surrogate pairs stay together. Parts that are not text stay whole. */
function splitPart(part: Part): readonly Part[] {
  const { text } = part;
  if (text === undefined || text.length <= MAX_TEXT) return [part];
  return splitText(text, MAX_TEXT).map((piece) => ({ ...part, text: piece }));
}
