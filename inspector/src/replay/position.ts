/** A moment of a stream: all entries up to `seq`, seen `after` ms after that one came, so that a silence has moments too. */
export interface Position {
  readonly seq: number;
  readonly after: number;
}

/** The parameters of an address that hold a position. */
export interface PositionQuery {
  /** The seq. */
  readonly at: string | undefined;
  /** The ms after it; absent is 0. */
  readonly ms: string | undefined;
}

/** The position that an address holds: `at=120`, or `at=120&ms=3500` for 3.5 s after entry 120. Undefined is the live end; what is no position counts as none. */
export function readPosition(query: URLSearchParams): Position | undefined {
  const seq = Number(query.get("at") ?? Number.NaN);
  if (!Number.isSafeInteger(seq) || seq < 1) return undefined;
  const after = Number(query.get("ms") ?? 0);
  return { seq, after: Number.isFinite(after) && after > 0 ? Math.round(after) : 0 };
}

/** The parameters of an address that hold `position`. */
export function writePosition(position: Position | undefined): PositionQuery {
  if (position === undefined) return { at: undefined, ms: undefined };
  const after = Math.round(position.after);
  return { at: String(position.seq), ms: after > 0 ? String(after) : undefined };
}

/** Whether two positions are the same moment, as an address tells them. */
export function isSamePosition(a: Position | undefined, b: Position | undefined): boolean {
  return a === b || (a !== undefined && b !== undefined && a.seq === b.seq && Math.round(a.after) === Math.round(b.after));
}
