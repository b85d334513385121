import type { VNode } from "preact";
import type { Lane, LaneFigures } from "./lane.ts";
import { doing, nameOf, rateText } from "./labels.tsx";
import { spanText } from "./scale.ts";
import { figuresOf, type ToldRow } from "./told.ts";

/** The lanes as a table: the same numbers for who does not see the picture. */
export function LaneTable({ rows, hrefOf }: { readonly rows: readonly ToldRow[]; readonly hrefOf: (lane: Lane) => string }): VNode {
  return (
    <div class="lanes-table" tabIndex={0} role="region" aria-label="Lanes as a table">
      <table>
        <caption class="sr">Every lane with its phase, tokens, rate and gaps</caption>
        <thead>
          <tr>
            {["Agent", "Does", "Tokens", "Tokens/s", "First token", "Gap p50", "Gap p95", "Longest gap", "Entries to"].map((title) => (
              <th key={title} scope="col">
                {title}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ lane, depth, told, isHeard }) => {
            const { tokens = 0, rate, firstTokenMs, gapP50, gapP95, gapMost }: Partial<LaneFigures> = figuresOf({ told, isHeard }) ?? {};
            return (
              <tr key={lane.id}>
                <th scope="row" style={{ paddingLeft: `${12 + depth * 16}px` }}>
                  <a href={hrefOf(lane)}>{nameOf(lane)}</a>
                  {depth > 0 && <span class="sr"> (under {lane.parent?.split("/").at(-1)})</span>}
                </th>
                <td>{doing(told)}</td>
                <td class="num">{tokens}</td>
                <td class="num">{rate === undefined ? "–" : rateText(rate)}</td>
                <td class="num">{milliseconds(firstTokenMs)}</td>
                <td class="num">{milliseconds(gapP50)}</td>
                <td class="num">{milliseconds(gapP95)}</td>
                <td class="num">{milliseconds(gapMost)}</td>
                <td class="num">{told?.lastSeq ?? 0}</td>
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function milliseconds(ms: number | undefined): string {
  return ms === undefined ? "–" : spanText(ms, ms < 1000 ? 1 : 10);
}
