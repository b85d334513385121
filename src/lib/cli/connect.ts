import { z } from "zod";
import type { A2AClient } from "../client/client.ts";
import { connectA2A } from "../client/connect.ts";
import { IasError } from "../model/errors.ts";
import { createGuardedFetch } from "../net/guarded-fetch.ts";
import type { Args, Command, Io } from "./command.ts";

/** Where commands look when no URL is given. */
export const DEFAULT_URL = "http://127.0.0.1:4000";

/** Options of every command that talks to a server. */
export const CONNECT_OPTIONS: Command["options"] = { token: { type: "string" }, header: { type: "string" } };

export const CONNECT_HELP = `  --token <key>         sent as "Authorization: Bearer <key>" (IAS_TOKEN)
  --header "Name: value"
                        another header to send
  --json                JSON lines on stdout`;

/** A client of the agent at `url` (an agent's, a server's or a card's). The operator chose it, so private and loopback addresses are fine. */
export function connect(url: string, args: Args, io: Io): Promise<A2AClient> {
  return connectA2A(withScheme(url), { headers: headersOf(args, io), allowLocal: true, allowPrivate: true });
}

/** An agent of a server. */
export interface Served {
  readonly id: string;
  readonly url: string;
}

const listSchema = z.object({ agents: z.array(z.object({ id: z.string(), url: z.string() })) });

/** The agents behind a URL: those that a server of ours lists at `/a2a`, else the one that the URL is of. */
export async function agentsAt(url: string, args: Args, io: Io): Promise<readonly Served[]> {
  const target = withScheme(url);
  if (new URL(target).pathname !== "/") return [{ id: new URL(target).pathname.split("/").at(-1) ?? "", url: target }];
  await using fetch = createGuardedFetch({ allowLocal: true, allowPrivate: true });
  const response = await fetch(new URL("/a2a", target), { headers: headersOf(args, io) });
  const listed = response.ok ? listSchema.safeParse(await response.json()) : undefined;
  return listed?.success === true ? listed.data.agents : [{ id: "", url: target }];
}

/** The headers that `CONNECT_OPTIONS` ask for. */
export function headersOf(args: Args, io: Io): Readonly<Record<string, string>> {
  const token = args.text("token") ?? io.env["IAS_TOKEN"];
  const header = args.text("header");
  const [name, ...value] = header?.split(":") ?? [];
  if (header !== undefined && (name === undefined || value.length === 0)) throw new IasError("invalid-request", '--header must be "Name: value".');
  return {
    ...(token !== undefined && token !== "" && { authorization: `Bearer ${token}` }),
    ...(name !== undefined && { [name.trim().toLowerCase()]: value.join(":").trim() }),
  };
}

/** A URL as people type it. Throws `invalid-request`. */
export function withScheme(url: string): string {
  const full = /^https?:\/\//.test(url) ? url : `http://${url}`;
  if (!URL.canParse(full)) throw new IasError("invalid-request", `${JSON.stringify(url)} is not a URL.`);
  return full;
}
