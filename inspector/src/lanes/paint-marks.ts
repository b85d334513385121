import type { Mark } from "./lane.ts";
import { type LaneColors, ROW } from "./look.ts";
import type { Scale } from "./scale.ts";

/** A lane whose entries are somewhere else: a dashed frame from its delegation on. */
export function paintElsewhere(context: CanvasRenderingContext2D, x: number, top: number, scale: Scale, colors: LaneColors): void {
  context.save();
  context.setLineDash([4, 4]);
  context.strokeStyle = colors["line-strong"];
  context.strokeRect(Math.max(-2, x) + 0.5, top + 0.5, scale.width + 4, ROW.band - 1);
  context.restore();
}

/** Each kind has a shape of its own, so that they differ without colour. */
export function paintMark(context: CanvasRenderingContext2D, { kind }: Mark, x: number, top: number, colors: LaneColors): void {
  const shape = (color: string, points: readonly (readonly [number, number])[]): void => {
    context.fillStyle = color;
    context.beginPath();
    for (const [index, [dx, dy]] of points.entries()) {
      if (index === 0) context.moveTo(x + dx, top + dy);
      else context.lineTo(x + dx, top + dy);
    }
    context.closePath();
    context.fill();
    context.strokeStyle = colors.surface;
    context.lineWidth = 1;
    context.stroke();
  };
  const bar = (color: string): void => {
    context.fillStyle = color;
    context.fillRect(x - 1, top - 4, 2, ROW.band + 4);
  };
  switch (kind) {
    case "first-token":
      bar(colors.text);
      return shape(colors.text, [
        [-5, -7],
        [5, -7],
        [0, 0],
      ]);
    case "message":
    case "asks":
      context.fillStyle = kind === "message" ? colors.accent : colors["phase-waiting-input"];
      context.beginPath();
      context.arc(x, top - 2, 4, 0, 2 * Math.PI);
      context.fill();
      return;
    case "tool":
    case "tool-failed":
      return shape(kind === "tool" ? colors["phase-tool"] : colors.bad, [
        [-4, -7],
        [4, -7],
        [4, 1],
        [-4, 1],
      ]);
    case "delegation":
      return shape(colors["phase-child-working"], [
        [-4, -7],
        [5, -3],
        [-4, 1],
      ]);
    case "stalled":
    case "failed":
      bar(colors.bad);
      return shape(colors.bad, [
        [0, -8],
        [5, 1],
        [-5, 1],
      ]);
    case "end":
      return bar(colors.good);
    case "recovered":
      return shape(colors.good, [
        [0, -8],
        [4, -3],
        [0, 2],
        [-4, -3],
      ]);
    case "attempt":
    case "note":
      return shape(colors.muted, [
        [0, -7],
        [4, -3],
        [0, 1],
        [-4, -3],
      ]);
  }
}
