import type { Artifact, Message, Part, StreamResponse, Task } from "../model/a2a.ts";
import { splitText } from "../model/cut-text.ts";
import type { Frame } from "./operations.ts";

/**
 * A folded Task as frames of at most `maxBytes` (SEMANTICS 8): one if it fits; else the Task without artifacts (and with as much of its newest history
 * as fits), then each artifact in pieces, the first with `append: false`. All have the snapshot's `seq`. Pieces are cut by UTF-16 units, each of which may be
 * six bytes of JSON (a control character), so the budget of a piece is a sixth. Each is encoded when it is asked for: a reader that stalls on a long Task costs no copy of it.
 */
export function* snapshotFrames(task: Task, seq: number, maxBytes: number): Generator<Frame, void, undefined> {
  if (leastSize(task) <= maxBytes) {
    const whole = encode({ task });
    if (Buffer.byteLength(whole) <= maxBytes) return yield { seq, event: whole };
  }
  const { artifacts = [], history = [], ...head } = task;
  const budget = Math.floor(maxBytes / 6);
  const kept = newest(history, maxBytes - Buffer.byteLength(JSON.stringify(head)) - 64);
  yield { seq, event: encode({ task: { ...head, ...(kept.length > 0 && { history: kept }) } }) };
  for (const artifact of artifacts) yield* artifactFrames(task, artifact, seq, budget);
}

/** What the artifacts' text alone takes: enough to know that a long Task does not fit, without encoding it. */
function leastSize({ artifacts = [] }: Task): number {
  let size = 0;
  for (const { parts } of artifacts) for (const { text } of parts) size += text?.length ?? 0;
  return size;
}

/** The newest messages that fit into `bytes`, in order. */
export function newest(history: readonly Message[], bytes: number): readonly Message[] {
  let left = bytes;
  let from = history.length;
  while (from > 0) {
    left -= Buffer.byteLength(JSON.stringify(history[from - 1])) + 1;
    if (left < 0) break;
    from -= 1;
  }
  return history.slice(from);
}

function* artifactFrames(task: Task, artifact: Artifact, seq: number, budget: number): Generator<Frame, void, undefined> {
  const { parts, ...head } = artifact;
  const pieces = parts.flatMap((part) => splitPart(part, budget));
  let from = 0;
  while (from < pieces.length) {
    let size = 0;
    let to = from;
    while (to < pieces.length && (to === from || size + partSize(pieces[to]) <= budget)) {
      size += partSize(pieces[to]);
      to += 1;
    }
    const append = from > 0;
    const value = append ? { artifactId: artifact.artifactId, parts: pieces.slice(from, to) } : { ...head, parts: pieces.slice(from, to) };
    yield { seq, event: encode({ artifactUpdate: { taskId: task.id, contextId: task.contextId, artifact: value, append } }) };
    from = to;
  }
}

/** Plain text may be cut anywhere, since appends join it again; any other part is whole. */
function splitPart(part: Part, max: number): readonly Part[] {
  const { text } = part;
  if (text === undefined || text.length <= max || Object.keys(part).length > 1) return [part];
  return splitText(text, max).map((piece) => ({ text: piece }));
}

function partSize(part: Part | undefined): number {
  return part === undefined ? 0 : part.text !== undefined && Object.keys(part).length === 1 ? part.text.length + 12 : JSON.stringify(part).length;
}

function encode(event: StreamResponse): string {
  return JSON.stringify(event);
}
