import { type Document, isMap, isScalar, isSeq, type LineCounter } from "yaml";
import { IasError } from "../model/errors.ts";
import type { Fault } from "./explain.ts";

/** Faults that one message tells. */
const MOST_FAULTS = 10;

/** All faults of a file as one error, `configuration`, in the order of their lines; `fields` has each, the message the first of them. */
export function campaignError(path: string, faults: readonly Fault[], lineOf: (fault: Fault) => number | undefined): IasError {
  const placed = faults.map((fault) => ({ fault, line: lineOf(fault) })).sort((a, b) => (a.line ?? 0) - (b.line ?? 0));
  const fields = placed.map(({ fault, line }) => {
    const field = fault.field === "" ? "the whole" : fault.field;
    return { field: fault.field, description: `${line === undefined ? "" : `line ${line}: `}${field} ${fault.what.replace(/\.$/, "")}.` };
  });
  const told = fields.slice(0, MOST_FAULTS).map(({ description }) => `\n  ${description}`);
  const more = fields.length > MOST_FAULTS ? `\n  and ${fields.length - MOST_FAULTS} more.` : "";
  return new IasError("configuration", `${path} is not a campaign:${told.join("")}${more}`, { fields });
}

/** The line of a fault in a YAML document: its node's, or its nearest ancestor's that is there. */
export function lineOf({ path }: Fault, document: Document.Parsed, lines: LineCounter): number | undefined {
  let offset: number | undefined;
  let node: unknown = document.contents;
  for (const key of path) {
    if (isMap(node)) {
      const pair = node.items.find((one) => isScalar(one.key) && String(one.key.value) === String(key));
      if (pair === undefined) break;
      if (isScalar(pair.key)) offset = pair.key.range?.[0];
      node = pair.value;
    } else if (isSeq(node) && typeof key === "number") {
      node = node.items[key];
      offset = rangeStart(node) ?? offset;
    } else break;
  }
  return offset === undefined ? undefined : lines.linePos(offset).line;
}

function rangeStart(node: unknown): number | undefined {
  return isMap(node) || isSeq(node) || isScalar(node) ? node.range?.[0] : undefined;
}
