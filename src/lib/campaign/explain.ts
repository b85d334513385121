import type { z } from "zod";

/** One thing that is wrong in a file. */
export interface Fault {
  /** As JavaScript would write it: `items[2].prompt`; "" for the whole. */
  readonly field: string;
  readonly path: readonly PropertyKey[];
  /** What is wrong and what is right, without the field. */
  readonly what: string;
}

/** What a schema says of a value, in the order of the file. Of a union the form counts that was meant: the one whose fault is deepest. */
export function explain(error: z.ZodError): readonly Fault[] {
  return error.issues.flatMap((issue) => faultsOf(issue, []));
}

function faultsOf(issue: z.core.$ZodIssue, before: readonly PropertyKey[]): readonly Fault[] {
  const path = [...before, ...issue.path];
  if (issue.code === "invalid_union" && issue.errors.length > 0) {
    const meant = issue.errors.filter((issues) => issues.some((one) => one.path.length > 0 || one.code === "unrecognized_keys" || isNested(one)));
    if (meant.length === 1) return (meant[0] ?? []).flatMap((one) => faultsOf(one, path));
  }
  if (issue.code === "unrecognized_keys") {
    // A line for each key, so that each is told at its own place.
    const lines = issue.message.split("\n");
    return issue.keys.map((key, at) => ({ path: [...path, key], field: fieldName(path), what: lines[at] ?? issue.message }));
  }
  return [{ path, field: fieldName(path), what: issue.message }];
}

function isNested(issue: z.core.$ZodIssue): boolean {
  return issue.code === "invalid_union" && issue.errors.some((issues) => issues.some((one) => one.path.length > 0 || one.code === "unrecognized_keys"));
}

/** A path as JavaScript would write it. */
export function fieldName(path: readonly PropertyKey[]): string {
  return path
    .map((key, at) =>
      typeof key === "number"
        ? `[${key}]`
        : /^[A-Za-z_$][\w$-]*$/.test(String(key))
          ? at === 0
            ? String(key)
            : `.${String(key)}`
          : `[${JSON.stringify(String(key))}]`,
    )
    .join("");
}
