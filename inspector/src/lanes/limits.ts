/**
 * How much each lane keeps, whatever its stream's length: what goes beyond a limit is forgotten, the oldest first, but for tokens, which stay counted in coarser and coarser
 * buckets of time.
 */
export interface LaneLimits {
  /** Single tokens, with their entries: 16 bytes each. */
  readonly maxTicks: number;
  /** Buckets of time at each of the 8 zooms (16 ms to 4.4 min): 16 bytes each. */
  readonly maxBuckets: number;
  /** Whether a lane takes the memory of both at its 65th token, and none after; else as it needs it. */
  readonly reserves: boolean;
  /** Signs, and silences. */
  readonly maxMarks: number;
  /** Changes of the phase: 16 bytes each. */
  readonly maxPhases: number;
}

/** Of a task that somebody looks at: 4 MB a lane at most. Single tokens of 22 minutes at 50 a second, and pictures of days. */
export const TASK_LANE_LIMITS: LaneLimits = { maxTicks: 65_536, maxBuckets: 16_384, reserves: false, maxMarks: 5000, maxPhases: 20_000 };

/** Of all live streams side by side, for a page that is open all day: 0.16 MB a lane. Single tokens of 40 s at 50 a second, and pictures of three days. */
export const FEED_LANE_LIMITS: LaneLimits = { maxTicks: 2048, maxBuckets: 1024, reserves: true, maxMarks: 500, maxPhases: 1000 };

/** Children of one task that have a lane of their own; what further ones do is their parent's. */
export const MAX_CHILD_LANES = 200;

/** Tool calls whose ends are remembered, so that one that is told twice is one sign. */
export const MAX_TOLD_CALLS = 1000;
