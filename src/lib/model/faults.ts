/** Faults of a request that are named; whoever made so many does not read more. */
export const MAX_FAULTS = 20;

/** What a schema finds wrong with a value: of a zod error what is needed here. */
interface Issue {
  readonly path: readonly PropertyKey[];
  readonly message: string;
}

/** The fields at fault, at most `MAX_FAULTS`, each with what is right of it. `root` is the name of the value itself. */
export function toFaults(issues: readonly Issue[], root: string): readonly { readonly field: string; readonly description: string }[] {
  const faults = issues.map(({ path, message }) => ({ field: path.map(String).join(".") || root, description: describe(message) }));
  // Two rules of one field may say the same.
  return [...new Map(faults.map((fault) => [`${fault.field} ${fault.description}`, fault])).values()].slice(0, MAX_FAULTS);
}

/** Zod's own words for a wrong type, as a sentence that goes on from the field's name. */
function describe(text: string): string {
  const missing = /^Invalid input: expected (\w+), received undefined$/.exec(text);
  if (missing !== null) return `is required (${missing[1]})`;
  const wrong = /^Invalid input: expected (\w+), received (\w+)$/.exec(text);
  return wrong === null ? text : `must be of type ${wrong[1]}, not ${wrong[2]}`;
}
