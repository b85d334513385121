import { z } from "zod";
import type { A2AClient } from "../client/client.ts";
import { connectA2A } from "../client/connect.ts";
import { IasError } from "../model/errors.ts";
import { createGuardedFetch } from "../net/guarded-fetch.ts";
import { type Args, type Command, type Io, usageError } from "./command.ts";

/** Where commands look when no URL is given. */
export const DEFAULT_URL = "http://127.0.0.1:4000";

/** Options of every command that talks to a server. */
export const CONNECT_OPTIONS: Command["options"] = { token: { type: "string" }, header: { type: "string", multiple: true } };

/** The help of `CONNECT_OPTIONS` and `--json`. */
export const CONNECT_HELP = `  --token <key>         sent as "Authorization: Bearer <key>" (IAS_TOKEN)
  --header "Name: value"
                        another header to send; may be given several times
  --json                JSON lines on stdout, errors as JSON on stderr`;

/**
 * A client of the agent at `url` (an agent's, a server's or a card's). The operator chose it, so private and loopback addresses are fine.
 * Throws `not-found` when the URL has a path of its own and the only card that was found, the server's, is of another agent.
 */
export async function connect(url: string, args: Args, io: Io): Promise<A2AClient> {
  const named = withScheme(url);
  const client = await connectA2A(named, { headers: headersOf(args, io), allowLocal: true, allowPrivate: true });
  const { source, interfaces } = client.card;
  if (source === undefined || isOf(new URL(named), new URL(source), interfaces)) return client;
  await client[Symbol.asyncDispose]();
  throw new IasError("not-found", `there is no agent at ${named}; the card at ${source} is of ${interfaces[0]?.url ?? client.card.name}.`);
}

/** Whether a card that was found from `named` is what was asked for: it is not the origin's, stands below that path, or names an address at or below it. */
function isOf(named: URL, source: URL, interfaces: readonly { readonly url: string }[]): boolean {
  const path = named.pathname.replace(/\/+$/, "");
  const isBelow = (other: string): boolean => other === path || other.startsWith(`${path}/`);
  return (
    !source.pathname.startsWith("/.well-known/") ||
    isBelow(source.pathname) ||
    interfaces.some(({ url }) => URL.canParse(url) && isBelow(new URL(url).pathname.replace(/\/+$/, "")))
  );
}

/** An agent of a server. */
export interface Served {
  readonly id: string;
  readonly url: string;
}

const listSchema = z.object({ agents: z.array(z.object({ id: z.string() })) });

/**
 * The agents behind a URL: those that a server of ours lists at `/a2a`, else the one that the URL is of. They are asked where the list was found, whatever addresses it
 * names: a token goes to nobody else.
 */
export async function agentsAt(url: string, args: Args, io: Io): Promise<readonly Served[]> {
  const target = withScheme(url);
  if (new URL(target).pathname !== "/") return [{ id: new URL(target).pathname.split("/").at(-1) ?? "", url: target }];
  await using fetch = createGuardedFetch({ allowLocal: true, allowPrivate: true });
  const response = await fetch(new URL("/a2a", target), { headers: headersOf(args, io) });
  const listed = listSchema.safeParse(response.ok ? await response.json().catch(() => undefined) : await response.body?.cancel());
  if (!listed.success) return [{ id: "", url: target }];
  return listed.data.agents.map(({ id }) => ({ id, url: new URL(`/a2a/${encodeURIComponent(id)}`, target).href }));
}

/** The headers that `CONNECT_OPTIONS` ask for. Throws a usage error. */
export function headersOf(args: Args, io: Io): Readonly<Record<string, string>> {
  const token = args.text("token") ?? io.env["IAS_TOKEN"];
  const headers = args.texts("header").map((header): readonly [string, string] => {
    const [, name, value] = /^\s*([\w!#$%&'*+.^`|~-]+)\s*:\s*([\t\x20-\x7e\x80-\xff]*)$/.exec(header) ?? [];
    if (name === undefined || value === undefined) throw usageError(`--header must be "Name: value", not ${JSON.stringify(header)}.`);
    return [name.toLowerCase(), value.trim()];
  });
  return { ...(token !== undefined && token !== "" && { authorization: `Bearer ${token}` }), ...Object.fromEntries(headers) };
}

/** A URL as people type it. Throws a usage error. */
export function withScheme(url: string): string {
  const full = /^[a-z][a-z0-9+.-]*:\/\//i.test(url) ? url : `http://${url}`;
  if (!URL.canParse(full) || !/^https?:$/.test(new URL(full).protocol)) throw usageError(`${JSON.stringify(url)} is not an http or https URL.`);
  return full;
}
