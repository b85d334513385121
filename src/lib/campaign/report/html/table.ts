import { htmlText } from "../escape.ts";

/** A table; cells are HTML that is safe already. */
export interface TableOptions {
  /** For those who do not see it; it is a place that scrolls. */
  readonly label: string;
  /** Each with a class for its cells. */
  readonly columns: readonly (readonly [name: string, kind?: string])[];
  readonly rows: readonly (readonly string[])[];
}

/** A table that scrolls by itself where the window is narrow; the first cell of a row names it. */
export function table({ label, columns, rows }: TableOptions): string {
  const kind = (at: number): string => (columns[at]?.[1] === undefined ? "" : ` class="${columns[at][1]}"`);
  const head = columns.map(([name], at) => `<th scope="col"${kind(at)}>${name}</th>`).join("");
  const body = rows.map((cells) => `<tr>${cells.map((cell, at) => (at === 0 ? `<th scope="row">${cell}</th>` : `<td${kind(at)}>${cell}</td>`)).join("")}</tr>`);
  return `<div class="scroll" role="region" aria-label="${htmlText(label)}" tabindex="0"><table><thead><tr>${head}</tr></thead><tbody>
${body.join("\n")}
</tbody></table></div>`;
}
