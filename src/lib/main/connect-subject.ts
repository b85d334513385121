import type { A2AClient } from "../client/client.ts";
import { connectA2A } from "../client/connect.ts";
import type { GuardedFetch } from "../net/guarded-fetch.ts";

/**
 * A client of a campaign's subject or green agent. No time-out of the connection decides whether it is alive: a call may take as long as it takes, and silence on a
 * stream is the runner's to judge. Only where heartbeats are promised (our extension) does their absence count as a lost connection.
 */
export async function connectSubject(
  url: string,
  options: { readonly headers: Readonly<Record<string, string>>; readonly fetch: GuardedFetch },
): Promise<A2AClient> {
  const patient = { ...options, callTimeoutMs: Number.POSITIVE_INFINITY };
  const client = await connectA2A(url, patient);
  if (client.hasCursors) return client;
  await client[Symbol.asyncDispose]();
  return connectA2A(url, { ...patient, idleTimeoutMs: Number.POSITIVE_INFINITY });
}
