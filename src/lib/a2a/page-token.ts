import { createHmac, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { Records } from "../log/records.ts";
import { IasError } from "../model/errors.ts";

/** Where the next page of a listing starts: after a row, within the first page's time bound (SEMANTICS 21). */
export interface PageToken {
  readonly until: number;
  readonly after: { readonly time: number; readonly task: string };
}

const tokenSchema = z.object({ until: z.number(), after: z.object({ time: z.number(), task: z.string() }) });
const SECRET = "secret/page-token";

/** Where the next page of a task's webhooks starts: after the one with this id. */
export interface PushPageToken {
  readonly after: string;
}

const pushTokenSchema = z.object({ after: z.string() });

/** A signed token that holds only for the same `filter`. */
export async function writePageToken(records: Records, token: PageToken | PushPageToken, filter: object): Promise<string> {
  const body = Buffer.from(JSON.stringify(token)).toString("base64url");
  return `${body}.${sign(await secretOf(records), body, filter).toString("base64url")}`;
}

/** The token's content. Throws `invalid-params` for one that this server did not make for this filter. */
export function readPageToken(records: Records, text: string, filter: object): Promise<PageToken> {
  return readToken(records, text, { filter, schema: tokenSchema });
}

/** As `readPageToken`, of a listing of webhooks. */
export function readPushPageToken(records: Records, text: string, filter: object): Promise<PushPageToken> {
  return readToken(records, text, { filter, schema: pushTokenSchema });
}

async function readToken<T>(records: Records, text: string, { filter, schema }: { readonly filter: object; readonly schema: z.ZodType<T> }): Promise<T> {
  const [body = "", mac = ""] = text.split(".");
  const given = Buffer.from(mac, "base64url");
  const right = sign(await secretOf(records), body, filter);
  if (given.length !== right.length || !timingSafeEqual(given, right)) throw invalidToken();
  const parsed = schema.safeParse(JSON.parse(Buffer.from(body, "base64url").toString()));
  if (!parsed.success) throw invalidToken();
  return parsed.data;
}

function invalidToken(): IasError {
  return new IasError("invalid-params", "pageToken is not one that this server gave for these filters; start without it.", {
    fields: [{ field: "pageToken", description: "is not one that this server gave for these filters" }],
  });
}

function sign(secret: string, body: string, filter: object): Buffer {
  return createHmac("sha256", secret).update(body).update("\0").update(JSON.stringify(filter)).digest();
}

/** The log's own secret, made at first use. */
async function secretOf(records: Records): Promise<string> {
  const found = await records.get(SECRET);
  if (found !== undefined) return found.value;
  const put = await records.put({ key: SECRET, value: JSON.stringify(randomBytes(32).toString("base64url")), ifVersion: 0 });
  return put.ok ? secretOf(records) : (put.found?.value ?? secretOf(records));
}
