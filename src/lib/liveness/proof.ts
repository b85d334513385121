import type { Part, StreamResponse } from "../model/a2a.ts";

/**
 * Whether an agent that promises nothing has shown that it sends content piece by piece, as its model makes it. Until then silence says nothing of it: it may
 * collect its answer, or write notes on its work from time to time.
 */
export interface Proof {
  /** Takes an event that came at `at` (ms, monotonic), and says whether it is proven now. */
  see(event: StreamResponse, at: number): boolean;
}

/** Pieces that came at once, in one read or two, are no evidence: they lie apart by so many ms. */
const APART_MS = 100;
/** Status messages may be notes: so many in a row, short as tokens are and as close, are content in pieces. */
const NOTES = 5;
const NOTE_LENGTH = 24;

/**
 * Two things prove it: an artifact that is appended to, at different times and within `gapMs`; or five status messages in a row, of 24 characters at most on average
 * and within a tenth of `gapMs` of each other (agents that stream by `update_status`).
 */
export function createProof(gapMs: number): Proof {
  const artifacts = new Map<string, { readonly first: number; last: number }>();
  let notes: { readonly at: number; readonly length: number }[] = [];
  let proven = false;

  const seePiece = (artifact: string, append: boolean, at: number): boolean => {
    const known = append ? artifacts.get(artifact) : undefined;
    const isClose = known !== undefined && at - known.last <= gapMs;
    if (!isClose) artifacts.set(artifact, { first: at, last: at });
    else known.last = at;
    return isClose && at - known.first >= APART_MS;
  };
  const seeNote = (parts: readonly Part[], at: number): boolean => {
    const last = notes.at(-1);
    if (last !== undefined && at - last.at > gapMs / 10) notes = [];
    notes.push({ at, length: parts.reduce((sum, { text }) => sum + (text === undefined ? NOTE_LENGTH * NOTES : text.length), 0) });
    notes = notes.slice(-NOTES);
    const isShort = notes.reduce((sum, { length }) => sum + length, 0) <= NOTE_LENGTH * NOTES;
    return notes.length === NOTES && isShort && at - (notes[0]?.at ?? at) >= APART_MS;
  };

  return {
    see(event, at) {
      if (proven) return true;
      if ("artifactUpdate" in event) {
        const { artifact, append } = event.artifactUpdate;
        proven = artifact.parts.some((part) => part.text !== "") && seePiece(artifact.artifactId, append === true, at);
      } else if ("statusUpdate" in event && event.statusUpdate.status.message !== undefined) proven = seeNote(event.statusUpdate.status.message.parts, at);
      return proven;
    },
  };
}
