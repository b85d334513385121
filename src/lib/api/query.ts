import { z } from "zod";
import { stateSchema } from "./schemas.ts";

/** A whole number of the query string. */
export function wholeNumber(least: number, most: number, about: string) {
  const words = `must be a whole number from ${least} to ${most}`;
  return z.exactOptional(z.coerce.number(words).int(words).min(least, words).max(most, words).describe(about));
}

/** A text of the query string; an empty one counts as none. */
export function words(about: string) {
  return z.exactOptional(z.string().max(1000, "must be at most 1000 characters").describe(about));
}

/** States with commas between them. */
export const statesParameter = z.exactOptional(
  z
    .string()
    .describe("States with commas between them, such as TASK_STATE_WORKING,TASK_STATE_SUBMITTED")
    .transform((text) => text.split(",").filter((name) => name !== ""))
    .pipe(z.array(stateSchema)),
);

/** Members that are not undefined and not the empty text. */
export function given<T extends object>(value: T): { [Key in keyof T]?: Exclude<T[Key], undefined | ""> } {
  return Object.fromEntries(Object.entries(value).filter(([, member]) => member !== undefined && member !== "")) as {
    [Key in keyof T]?: Exclude<T[Key], undefined | "">;
  };
}
