import { z } from "zod";
import { invalidField } from "../model/errors.ts";

const tokenSchema = z.object({ until: z.number(), time: z.number(), task: z.string() });

/** Where a listing goes on: after a row, within the first page's time bound (SEMANTICS 21). It names nothing that its caller may not see, so it is not signed. */
export type PageToken = z.infer<typeof tokenSchema>;

/** A token as text. */
export function writeToken(token: PageToken): string {
  return Buffer.from(JSON.stringify(token)).toString("base64url");
}

/** The token of a text. Throws `invalid-params`. */
export function readToken(text: string): PageToken {
  let value: unknown;
  try {
    value = JSON.parse(Buffer.from(text, "base64url").toString());
  } catch {
    value = undefined;
  }
  const parsed = tokenSchema.safeParse(value);
  if (parsed.success) return parsed.data;
  throw invalidField("pageToken", "is not one that this server gave; start without it");
}
