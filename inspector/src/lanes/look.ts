import type { ColorName } from "../theme/colors.ts";
import { PHASES } from "./phases.ts";

/** Heights in px. A row is the lane's band, and under it the line of its rate. */
export const ROW = { height: 52, narrow: 74, top: 8, band: 24, gap: 4, rate: 12 } as const;

/** Height of the axis, px. */
export const AXIS_HEIGHT = 24;

/** The colours that the picture needs. */
export type LaneColors = Readonly<Record<ColorName, string>>;

/** Their names. */
export const LANE_COLORS: readonly ColorName[] = [
  ...PHASES.map(({ token }) => token.slice(2) as ColorName),
  "bg",
  "surface",
  "sunken",
  "line",
  "line-strong",
  "text",
  "muted",
  "accent",
  "good",
  "warn",
  "bad",
];
