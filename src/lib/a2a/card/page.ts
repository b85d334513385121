import { createHash } from "node:crypto";
import type { Agent } from "../../engine/agent.ts";
import { isOpenTo } from "../../engine/agents.ts";
import type { JsonObject } from "../../model/a2a.ts";
import { decodeSegment, type Principal } from "../../model/key.ts";
import { methodNotAllowed, type Page, type PageRequest } from "../../net/page.ts";
import { namedVersion, readVersion } from "../binding.ts";

/** The forms of a card. */
export type CardForm = "1.0" | "0.3" | "merged";

/** The cards of a server. */
export interface CardPageOptions {
  readonly agents: ReadonlyMap<string, Agent>;
  /** The agent of `/.well-known/agent-card.json` at the root. */
  readonly defaultAgent: string;
  /** What a reader gets that names no version, as most do: clients of 0.3 and conformance suites among them. */
  readonly bare: CardForm;
  readonly card: (agent: Agent, form: CardForm) => Promise<JsonObject>;
  /** Who asks, for cards of agents that are one caller's own. Throws `unauthenticated`. Absent: those are not shown. */
  readonly authenticate?: (request: Pick<PageRequest, "header">) => Promise<Principal>;
  /** Cards do not change while a server runs: since when they are so, ms since the epoch. */
  readonly since: number;
}

/** How long a reader may keep a card before it asks again, s. */
const MAX_AGE_S = 60;

/** At the root and under each agent's prefix, with the name that 0.2 gave it too. */
const PATH = /^(?:\/a2a\/([^/]+)(?:\/rest)?)?\/\.well-known\/agent(?:-card)?\.json$/;

/** Answers for cards, with validators and 304 (specification 8.6). Throws `version-not-supported`. */
export function createCardPage(options: CardPageOptions): Page {
  const since = Math.floor(options.since / 1000) * 1000;
  return async (request) => {
    const { method, url } = request;
    const match = PATH.exec(url.pathname);
    const agent = match === null ? undefined : options.agents.get(match[1] === undefined ? options.defaultAgent : decodeSegment(match[1]));
    if (agent === undefined || !(await isShown(agent, request, options))) return undefined;
    if (method !== "GET" && method !== "HEAD") return methodNotAllowed("GET, HEAD");
    const asked = { header: (name: string) => request.header(name), query: url.searchParams };
    const form = namedVersion(asked) === "" ? options.bare : readVersion(asked);
    const body = JSON.stringify(await options.card(agent, form));
    const etag = `"${createHash("sha256").update(body).digest("base64url").slice(0, 27)}"`;
    const headers = {
      etag,
      "last-modified": new Date(since).toUTCString(),
      "cache-control": agent.owner === undefined ? `public, max-age=${MAX_AGE_S}` : "no-store",
      vary: "A2A-Version",
    };
    if (isFresh(request.header("if-none-match"), request.header("if-modified-since"), etag, since)) return { status: 304, headers, body: "" };
    return { status: 200, headers: { ...headers, "content-type": "application/json" }, body };
  };
}

/** A card is public; that of a caller's own agent is there for that caller alone. */
async function isShown(agent: Agent, request: PageRequest, { authenticate }: CardPageOptions): Promise<boolean> {
  return isOpenTo(agent, agent.owner === undefined ? undefined : await authenticate?.(request).catch(() => undefined));
}

/** RFC 9110 13.2.2: the date counts only without tags. */
function isFresh(tags: string | undefined, date: string | undefined, etag: string, since: number): boolean {
  if (tags !== undefined) return tags.trim() === "*" || tags.split(",").some((tag) => tag.trim().replace(/^W\//, "") === etag);
  return date !== undefined && Date.parse(date) >= since;
}
