import { escapeUnsafe } from "../../model/unsafe-text.ts";
import type { Comparison } from "./compare.ts";
import { toCsv } from "./csv.ts";
import { toHtml } from "./html/page.ts";
import { toJunit } from "./junit.ts";
import { compareToMarkdown, toMarkdown } from "./markdown.ts";
import type { ReportSource } from "./source.ts";

/** The formats, and how their files end. */
export const REPORT_FORMATS = { html: "html", json: "json", jsonl: "jsonl", csv: "csv", junit: "xml", markdown: "md" } as const;

/** A format by its name. */
export type ReportFormat = keyof typeof REPORT_FORMATS;

/** What a report may have besides its campaign. */
export interface ReportOptions {
  /** With another campaign, of which this one is the newer; HTML and Markdown show it. */
  readonly comparison?: Comparison;
}

/** A campaign in `format`, in pieces of text: the attempts are read once or twice, never held. Nothing in it depends on the time of the export. */
export function exportReport(source: ReportSource, format: ReportFormat, options: ReportOptions = {}): AsyncIterable<string> {
  switch (format) {
    case "html":
      return toHtml(source, options.comparison);
    case "json":
      return toJson(source);
    case "jsonl":
      return toJsonLines(source);
    case "csv":
      return toCsv(source);
    case "junit":
      return toJunit(source);
    case "markdown":
      return toMarkdown(source, options.comparison);
  }
}

/** `{ campaign, hash, createdAt, summary, attempts }`; an infinite threshold is null, as JSON has no word for it. */
async function* toJson({ campaign, hash, createdAt, summary, ledger }: ReportSource): AsyncGenerator<string, void, undefined> {
  const head = escapeUnsafe(JSON.stringify({ campaign, hash, createdAt, summary }));
  yield `${head.slice(0, -1)},"attempts":[`;
  let separator = "\n";
  for await (const attempt of ledger.attempts()) {
    yield `${separator}${escapeUnsafe(JSON.stringify(attempt))}`;
    separator = ",\n";
  }
  yield "\n]}\n";
}

/** One attempt a line. */
async function* toJsonLines({ ledger }: ReportSource): AsyncGenerator<string, void, undefined> {
  for await (const attempt of ledger.attempts()) yield `${escapeUnsafe(JSON.stringify(attempt))}\n`;
}

/** A comparison alone, as Markdown. */
export function exportComparison(comparison: Comparison): string {
  return compareToMarkdown(comparison, "#");
}
