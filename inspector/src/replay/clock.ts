/** A moment of a replay. */
export interface Replay {
  /** The stretch that is replayed, ms since the epoch. */
  readonly from: number;
  readonly to: number;
  /** Where it stood at `since`. */
  readonly position: number;
  /** By the viewer's own clock, ms; undefined while it stands still. */
  readonly since: number | undefined;
  /** Stream time per viewer time, 1 to 50. */
  readonly speed: number;
}

/** The speeds that a viewer may pick. */
export const SPEEDS = [1, 2, 5, 10, 25, 50] as const;

/** A replay that stands at the beginning. The viewer's clock (`now` below) is any monotonic one, ms. */
export function createReplay(from: number, to: number): Replay {
  return { from, to: Math.max(from, to), position: from, since: undefined, speed: 1 };
}

/** Where it is now, at most at the end. */
export function positionAt(replay: Replay, now: number): number {
  if (replay.since === undefined) return replay.position;
  return Math.min(replay.to, replay.position + Math.max(0, now - replay.since) * replay.speed);
}

/** Whether it moves: at the end it stands. */
export function isPlaying(replay: Replay, now: number): boolean {
  return replay.since !== undefined && positionAt(replay, now) < replay.to;
}

/** Goes on; from the end it begins anew. */
export function play(replay: Replay, now: number): Replay {
  const position = positionAt(replay, now);
  return { ...replay, position: position >= replay.to ? replay.from : position, since: now };
}

/** Stands still where it is. */
export function pause(replay: Replay, now: number): Replay {
  return { ...replay, position: positionAt(replay, now), since: undefined };
}

/** Goes to a time, within the stretch; it goes on playing if it did. */
export function seek(replay: Replay, at: number, now: number): Replay {
  const position = Math.min(replay.to, Math.max(replay.from, at));
  return { ...replay, position, since: isPlaying(replay, now) ? now : undefined };
}

/** Another speed, from where it is. Outside of 1 to 50 the nearest counts. */
export function setSpeed(replay: Replay, speed: number, now: number): Replay {
  const position = positionAt(replay, now);
  return { ...replay, position, since: replay.since === undefined ? undefined : now, speed: Math.min(50, Math.max(1, speed)) };
}

/** The stretch became longer: the stream goes on. */
export function extend(replay: Replay, from: number, to: number): Replay {
  return { ...replay, from: Math.min(replay.from, from), to: Math.max(replay.to, to) };
}
