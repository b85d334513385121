import type { VNode } from "preact";
import { useRef } from "preact/hooks";
import { labelOf, PHASES } from "./phases.ts";

const SIGNS: readonly (readonly [string, string])[] = [
  ["▾", "first token"],
  ["●", "message or question"],
  ["■", "tool call"],
  ["▸", "delegation"],
  ["▲", "stalled or failed"],
  ["|", "a token; taller: more of them"],
];

/** What colours, heights and signs mean. */
export function Legend(): VNode {
  const box = useRef<HTMLDetailsElement>(null);
  const close = (): void => {
    if (box.current !== null) box.current.open = false;
  };
  return (
    <details
      class="lanes-legend"
      ref={box}
      onKeyDown={(event) => {
        if (event.key !== "Escape") return;
        close();
        box.current?.querySelector("summary")?.focus();
      }}
      onFocusOut={({ relatedTarget }) => {
        // It lies over the picture: who goes on has read it.
        if (!(relatedTarget instanceof Node && box.current?.contains(relatedTarget) === true)) close();
      }}
    >
      <summary>Legend</summary>
      <div class="card" tabIndex={-1}>
        <ul>
          {PHASES.filter(({ height }) => height > 0).map(({ phase, token, height }) => (
            <li key={phase}>
              <span class="lanes-key">
                <span style={{ background: `var(${token})`, height: `${Math.max(3, Math.round(14 * height))}px` }} />
              </span>
              {labelOf(phase)}
            </li>
          ))}
        </ul>
        <ul>
          {SIGNS.map(([sign, label]) => (
            <li key={label}>
              <span class="lanes-key sign" aria-hidden="true">
                {sign}
              </span>
              {label}
            </li>
          ))}
          <li>
            <span class="lanes-key sign" aria-hidden="true">
              ◢
            </span>
            silence: the warmer, the nearer to a stall
          </li>
        </ul>
        <p class="small muted">
          Drag to move, Ctrl and the wheel or two fingers to zoom. Click a token to open its entry; with a finger tap it twice. Press the axis to replay from
          there.
        </p>
      </div>
    </details>
  );
}
