import { createHash, randomBytes } from "node:crypto";
import { z } from "zod";
import type { Records } from "../log/records.ts";
import type { ServerInfo } from "../model/api.ts";
import { IasError } from "../model/errors.ts";
import { joinKey, type Principal } from "../model/key.ts";
import type { Limits } from "../model/limits.ts";
import type { Secrets } from "../tenancy/secrets.ts";
import { defineEndpoint, type Endpoint } from "./endpoint.ts";
import { serverInfoSchema, ticketSchema } from "./schemas.ts";

/** A request of a frontend, as far as it says who sends it. */
export interface FrontendRequest {
  readonly method: string;
  readonly url: URL;
  header(name: string): string | undefined;
}

/** Ways of a browser to say who it is: it has no header of its own on an `EventSource` or a WebSocket, and must not keep a token where a script could read it. */
export interface Sessions {
  /**
   * Who sends a request: by its own credentials, a one-time ticket (`?ticket=`, on GET), or a session's cookie. Throws `unauthenticated`; `forbidden` with reason
   * CROSS_SITE_REQUEST for a cookie that comes from another origin's page with a request that may change something.
   */
  authenticate(request: FrontendRequest): Promise<Principal>;
  readonly endpoints: readonly Endpoint[];
}

/** What sessions stand on. */
export interface SessionsOptions {
  readonly records: Records;
  readonly secrets: Secrets;
  /** Who sends a request with credentials of its own. Throws `unauthenticated`. */
  readonly authenticate: (request: { header(name: string): string | undefined }) => Promise<Principal>;
  /** False where everybody is the local user: then nothing here is needed, and nothing is kept. */
  readonly needsCredentials: boolean;
  /** Cookies are of a host, not of a port: the name tells servers apart. */
  readonly logId: string;
  /** Where the server is reached; over https the cookie is sent over nothing else. */
  readonly origin: () => string;
  readonly info: (principal: Principal) => ServerInfo;
  readonly limits: Pick<Limits, "sessionMs" | "ticketMs">;
  readonly now: () => number;
}

/** The headers that carry credentials: what a session keeps. */
const CREDENTIALS = ["authorization", "x-api-key"] as const;

const keptSchema = z.record(z.enum(CREDENTIALS), z.string().optional());
const principalSchema = z.object({ tenant: z.string(), user: z.string(), roles: z.array(z.string()) });

/** Makes them. A session keeps the credentials sealed and shows them again with each request, so that a key that is revoked or a token that is over ends it. */
export function createSessions(options: SessionsOptions): Sessions {
  const { records, secrets, limits, now } = options;
  const cookieName = `ias_session_${options.logId}`;

  const sessionOf = (request: Pick<FrontendRequest, "header">): string | undefined =>
    (request.header("cookie") ?? "")
      .split(";")
      .map((pair) => pair.trim())
      .find((pair) => pair.startsWith(`${cookieName}=`))
      ?.slice(cookieName.length + 1);

  async function byTicket(ticket: string): Promise<Principal> {
    const key = joinKey("ticket", hash(ticket));
    const found = await records.get(key);
    // Whoever deletes it has it: a ticket is good once.
    if (found === undefined || !(await records.delete(key, { ifVersion: found.version })))
      throw new IasError("unauthenticated", "The ticket is not known, was used, or is too old; get another at POST /api/tickets.", {
        reason: "TICKET_INVALID",
      });
    return principalSchema.parse(JSON.parse(found.value));
  }

  /** undefined where the server's key is another one by now: the page signs in again. */
  function openSealed(sealed: string, place: string): string | undefined {
    try {
      return secrets.open(sealed, place);
    } catch (error) {
      if (IasError.from(error).code === "corrupt") return undefined;
      throw error;
    }
  }

  async function bySession(id: string, request: FrontendRequest): Promise<Principal | undefined> {
    const key = joinKey("session", hash(id));
    const found = await records.get(key);
    if (found === undefined) return undefined;
    checkSite(request);
    const text = openSealed(String(JSON.parse(found.value)), key);
    if (text === undefined) return undefined;
    const kept = keptSchema.parse(JSON.parse(text));
    return options.authenticate({ header: (name) => kept[name as (typeof CREDENTIALS)[number]] });
  }

  async function open(request: FrontendRequest): Promise<string> {
    const id = randomBytes(32).toString("base64url");
    const key = joinKey("session", hash(id));
    const kept = Object.fromEntries(CREDENTIALS.flatMap((name) => (request.header(name) === undefined ? [] : [[name, request.header(name)]])));
    await records.put({ key, value: JSON.stringify(secrets.seal(JSON.stringify(kept), key)), ttlMs: limits.sessionMs });
    return id;
  }

  const cookie = (value: string, ageMs: number): Readonly<Record<string, string>> => ({
    "set-cookie": `${cookieName}=${value}; Path=/; HttpOnly; SameSite=Strict; Max-Age=${Math.floor(ageMs / 1000)}${options.origin().startsWith("https:") ? "; Secure" : ""}`,
  });

  return {
    async authenticate(request) {
      if (!options.needsCredentials || CREDENTIALS.some((name) => request.header(name) !== undefined)) return options.authenticate(request);
      const ticket = request.method === "GET" ? request.url.searchParams.get("ticket") : null;
      if (ticket !== null) return byTicket(ticket);
      const id = sessionOf(request);
      // Without one the authenticator says what is missing.
      return (id === undefined ? undefined : await bySession(id, request)) ?? options.authenticate(request);
    },
    endpoints: [
      defineEndpoint({
        method: "POST",
        path: "/api/session",
        tag: "Session",
        summary: "Turns the credentials of this request into a cookie for a page",
        about:
          "The cookie is HttpOnly and SameSite=Strict: no script reads it and no other site sends it. It is good until the credentials are not any more, at most `sessionMs`.",
        reply: serverInfoSchema,
        async handle({ principal, raw }) {
          const isOwn = CREDENTIALS.some((name) => raw.header(name) !== undefined);
          const headers = options.needsCredentials && isOwn ? cookie(await open(raw), limits.sessionMs) : {};
          return { body: options.info(principal), headers };
        },
      }),
      defineEndpoint({
        method: "DELETE",
        path: "/api/session",
        tag: "Session",
        summary: "Ends the session of the cookie",
        access: "public",
        async handle({ raw }) {
          const id = sessionOf(raw);
          if (id === undefined) return { body: undefined };
          checkSite(raw);
          await records.delete(joinKey("session", hash(id)));
          return { body: undefined, headers: cookie("", 0) };
        },
      }),
      defineEndpoint({
        method: "POST",
        path: "/api/tickets",
        tag: "Session",
        summary: "A one-time ticket for a stream or a WebSocket that can carry no header",
        about: "Put it into the query string of one GET, as `?ticket=…`. It is good once, for `ticketMs`.",
        reply: ticketSchema,
        status: 201,
        async handle({ principal: { tenant, user, roles = [] } }) {
          const ticket = randomBytes(32).toString("base64url");
          await records.put({ key: joinKey("ticket", hash(ticket)), value: JSON.stringify({ tenant, user, roles }), ttlMs: limits.ticketMs });
          return { body: { ticket, expiresAt: now() + limits.ticketMs } };
        },
      }),
    ],
  };
}

/**
 * A browser sends the cookie by itself, whoever made the request: one that may change something, or opens a WebSocket, must come from this server's own pages.
 * Older browsers send no `Sec-Fetch-Site`, but `Origin` with whatever is not a GET.
 */
function checkSite(request: FrontendRequest): void {
  const isUpgrade = request.header("upgrade") !== undefined;
  if ((request.method === "GET" || request.method === "HEAD") && !isUpgrade) return;
  const site = request.header("sec-fetch-site");
  const origin = request.header("origin");
  const isOwn = origin !== undefined && URL.canParse(origin) && new URL(origin).host === request.header("host")?.toLowerCase();
  if (isOwn || (origin === undefined && (site === "same-origin" || site === "none"))) return;
  throw new IasError("forbidden", "A session's cookie is taken from this server's own pages only; send credentials in a header.", {
    reason: "CROSS_SITE_REQUEST",
  });
}

function hash(secret: string): string {
  return createHash("sha256").update(secret).digest("base64url");
}
