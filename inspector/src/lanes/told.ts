import type { Lane, LaneFigures } from "./lane.ts";
import type { LaneRow, Lanes } from "./model.ts";

/** A lane, and what is told of it: the lane as it is, or as it was at the moment of a replay; undefined where it had not begun by then. */
export interface ToldRow extends LaneRow {
  readonly told: Lane | undefined;
  /** Its entries come: a rate is known. */
  readonly isHeard: boolean;
}

/** The rows with what is told of them: at a moment in the past what they were then. `isHeard`: while the page hears nothing it does not know how fast anybody is. */
export function toldRows(rows: readonly LaneRow[], { past, isHeard }: { readonly past: Lanes | undefined; readonly isHeard: boolean }): readonly ToldRow[] {
  if (past === undefined) return rows.map(({ lane, depth }) => ({ lane, depth, told: lane, isHeard }));
  const then = new Map(past.list().map(({ lane }) => [lane.id, lane]));
  return rows.map(({ lane, depth }) => ({ lane, depth, told: then.get(lane.id), isHeard: true }));
}

/** The numbers of a row; undefined where its lane had not begun. */
export function figuresOf({ told, isHeard }: Pick<ToldRow, "told" | "isHeard">): LaneFigures | undefined {
  const figures = told?.figures();
  return figures === undefined || isHeard ? figures : { ...figures, rate: undefined };
}
