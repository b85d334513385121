import { createHash, randomBytes, timingSafeEqual } from "node:crypto";
import { z } from "zod";
import type { IasError } from "../model/errors.ts";
import type { Principal } from "../model/key.ts";
import type { Authenticator, Credentials } from "./authenticator.ts";
import { missing, readBearer, refused } from "./bearer.ts";
import { openReloadedFile } from "./reloaded-file.ts";

/** Where the keys are. */
export interface ApiKeysOptions {
  /** One JSON object a line: `{ "sha256", "tenant", "user", "roles" }`; empty lines and lines that begin with `#` are left out. Read again when it changes. */
  readonly file: string;
  readonly now: () => number;
  readonly report: (error: IasError) => void;
}

/**
 * Keys from a file that holds only their hashes. A caller sends `Authorization: Bearer <key>` or `X-API-Key: <key>`.
 * Keys are random (`makeApiKey`), so a plain SHA-256 is enough; meant for some thousand of them, since each is compared.
 *
 * @throws IasError `configuration` if the file is not there or a line is bad.
 */
export async function createApiKeys(options: ApiKeysOptions): Promise<Authenticator> {
  const { now, report } = options;
  const keys = await openReloadedFile<readonly Key[]>({ file: options.file, parse: parseKeys, empty: [], now, report });
  return {
    schemes: [
      { kind: "http", name: "bearer", scheme: "Bearer", description: "An API key of this server." },
      { kind: "api-key", name: "apiKey", header: "X-API-Key", description: "An API key of this server." },
    ],
    async authenticate(request) {
      const given = readKey(request);
      if (given === undefined) throw missing('send an API key as "Authorization: Bearer <key>" or "X-API-Key: <key>"');
      const hash = sha256(given);
      let found: Principal | undefined;
      // All are compared, each in constant time, so that the answer's time says nothing of the file.
      for (const key of await keys.current()) if (timingSafeEqual(key.hash, hash)) found = key.principal;
      if (found === undefined) throw refused("The API key is not known.");
      return found;
    },
    [Symbol.asyncDispose]: async () => undefined,
  };
}

/** A new random key, and the line for the file that admits it. The key itself is nowhere kept. */
export function makeApiKey(principal: Principal): { readonly key: string; readonly line: string } {
  const key = `ias_${randomBytes(32).toString("base64url")}`;
  const { tenant, user, roles = [] } = principal;
  return { key, line: JSON.stringify({ sha256: sha256(key).toString("hex"), tenant, user, roles }) };
}

interface Key {
  readonly hash: Buffer;
  readonly principal: Principal;
}

const lineSchema = z.strictObject({
  sha256: z.string().regex(/^[0-9a-f]{64}$/i, "must be 64 hexadecimal digits, the SHA-256 of a key"),
  tenant: z.string().min(1).max(256),
  user: z.string().min(1).max(256),
  roles: z.array(z.string()).optional(),
});

function parseKeys(text: string): readonly Key[] {
  const keys: Key[] = [];
  for (const [index, line] of text.split("\n").entries()) {
    if (line.trim() === "" || line.trim().startsWith("#")) continue;
    const parsed = lineSchema.safeParse(parseJson(line));
    // The line itself is not shown: somebody may have put a key there.
    if (!parsed.success) throw new Error(`line ${index + 1} is not { "sha256", "tenant", "user", "roles" }: ${z.prettifyError(parsed.error)}`);
    const { tenant, user, roles } = parsed.data;
    keys.push({ hash: Buffer.from(parsed.data.sha256, "hex"), principal: { tenant, user, ...(roles !== undefined && { roles }) } });
  }
  return keys;
}

function parseJson(line: string): unknown {
  try {
    return JSON.parse(line) as unknown;
  } catch {
    return undefined;
  }
}

function readKey(request: Credentials): string | undefined {
  const header = request.header("x-api-key")?.trim();
  return header === undefined || header === "" ? readBearer(request) : header;
}

function sha256(text: string): Buffer {
  return createHash("sha256").update(text).digest();
}
