import type { Entry } from "../../model/entry.ts";
import { decodeSegment, encodeSegments, MAX_SEGMENT_LENGTH } from "../segment.ts";
import type { UpkeepParts } from "./upkeep.ts";

/** Merges small segments of a stream into larger ones, by tiers (SEMANTICS 14). */
export interface Merger {
  /** One merge of one stream, inside a transaction: how many entries were rewritten, into how many segments; nothing if there is nothing to do. */
  step(stream: number): { readonly merged: number; readonly segments: number };
}

interface Piece {
  readonly id: number;
  readonly seq: number;
  readonly length: number;
  /** Its number of entries. */
  readonly count: number;
}

/** Adjacent segments of one tier that make a merge, and the ratio between tiers: an entry is rewritten at most log₈ n times. */
const FAN_IN = 8;
/** A segment this long is not merged any more. */
const FULL = MAX_SEGMENT_LENGTH / 2;
/** The most that one merge reads, in UTF-16 units, so that it holds up the event loop for a few ms only. */
const MAX_INPUT = 3 * MAX_SEGMENT_LENGTH;
/** Segments looked at in one step. */
const WINDOW = 1024;

const NOTHING = { merged: 0, segments: 0 };

/** Makes the merger over `parts`. */
export function createMerger({ database, streams, group, failPoint }: UpkeepParts): Merger {
  const pieces = database.prepare("SELECT id, seq, length(body) AS length FROM segments WHERE stream = ? AND seq > ? ORDER BY seq LIMIT ?");
  const body = database.prepare("SELECT body FROM segments WHERE id = ?");
  const remove = database.prepare("DELETE FROM segments WHERE id = ?");
  const insert = database.prepare("INSERT INTO segments (stream, seq, body) VALUES (?, ?, ?)");

  /** The entries of adjacent segments after `floor`; undefined if one cannot be read. */
  function decodeAll(run: readonly Piece[], floor: number): Entry[] | undefined {
    try {
      return run.flatMap(({ id, seq }) => decodeSegment(seq, String(body.get(id)?.["body"]))).filter((entry) => entry.seq > floor);
    } catch {
      return undefined;
    }
  }

  return {
    step(id) {
      const stream = streams.byId(id);
      if (stream === undefined || stream.gone) return NOTHING;
      const found: Piece[] = [];
      let before = Math.max(stream.compacted, stream.floor);
      for (const row of pieces.all(id, stream.compacted, WINDOW)) {
        const seq = Number(row["seq"]);
        found.push({ id: Number(row["id"]), seq, length: Number(row["length"]), count: Math.max(1, seq - before) });
        before = seq;
      }
      const full = found.findIndex((piece) => piece.length <= FULL);
      const done = (full < 0 ? found.at(-1) : found[full - 1])?.seq;
      if (done !== undefined && done > stream.compacted) {
        group.begin();
        group.touch(stream, "changed");
        stream.compacted = done;
        group.saveLater(stream);
      }
      const run = findRun(found);
      if (run.length === 0) return NOTHING;
      const entries = decodeAll(run, stream.floor);
      // Whoever reads the broken segment is told; the commits beside this, and other streams' merges, must not fail for it.
      if (entries === undefined) return NOTHING;
      group.begin();
      for (const piece of run) remove.run(piece.id);
      const segments = encodeSegments(entries);
      for (const segment of segments) insert.run(id, segment.seq, segment.body);
      failPoint?.("during-compaction");
      return { merged: entries.length, segments: segments.length };
    },
  };
}

/** The first run of adjacent segments of one tier that is worth a merge. */
function findRun(pieces: readonly Piece[]): readonly Piece[] {
  let start = 0;
  for (let i = 0; i <= pieces.length; i += 1) {
    const piece = pieces[i];
    const first = pieces[start];
    if (piece !== undefined && first !== undefined && piece.length <= FULL && first.length <= FULL && tierOf(piece) === tierOf(first)) continue;
    if (i - start >= FAN_IN) return bounded(pieces.slice(start, i));
    start = i;
  }
  return [];
}

function bounded(run: readonly Piece[]): readonly Piece[] {
  let length = 0;
  for (const [place, piece] of run.entries()) {
    length += piece.length;
    if (place >= FAN_IN && length > MAX_INPUT) return run.slice(0, place);
  }
  return run;
}

function tierOf({ count }: Piece): number {
  return Math.floor(Math.log(count) / Math.log(FAN_IN) + 1e-9);
}
