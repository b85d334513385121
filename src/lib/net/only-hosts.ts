import { IasError } from "../model/errors.ts";
import type { GuardedFetch } from "./guarded-fetch.ts";

/** Whether a host may be reached: one of `allowed` names, `*.example.com` for all below; any where there are none. */
export function isHostAllowed(url: URL, allowed: readonly string[]): boolean {
  const host = url.hostname.toLowerCase();
  const fits = (name: string): boolean => (name.startsWith("*.") ? host.endsWith(name.slice(1)) : host === name);
  return allowed.length === 0 || allowed.some((name) => fits(name.toLowerCase()));
}

/** That a host may not be reached, and how it would be. */
export function hostNotAllowed(url: URL): IasError {
  return new IasError("forbidden", `The host ${JSON.stringify(url.hostname.toLowerCase().slice(0, 100))} may not be reached; add it to REMOTE_HOSTS.`, {
    reason: "REMOTE_HOST_NOT_ALLOWED",
  });
}

/**
 * `fetch` for some hosts only: each request, each hop of a redirect, and each WebSocket. A card names where its agent is, and may name another place the next
 * time that it is read. Disposing it does nothing: `fetch` stays the caller's.
 */
export function onlyHosts(fetch: GuardedFetch, allowed: readonly string[]): GuardedFetch {
  const mayReach = (url: URL): void => {
    if (!isHostAllowed(url, allowed)) throw hostNotAllowed(url);
  };
  const judge = (input: string | URL): void => {
    const text = String(input).replace(/^ws(s?):/i, "http$1:");
    // What is no URL is told by the call itself.
    if (URL.canParse(text)) mayReach(new URL(text));
  };
  return Object.assign(
    async (input: string | URL, init: Parameters<GuardedFetch>[1] = {}): Promise<Response> => {
      judge(input);
      return fetch(input, { ...init, mayReach });
    },
    {
      async check(input: string | URL) {
        judge(input);
        return fetch.check(input);
      },
      async socket(input: string | URL, options: Parameters<GuardedFetch["socket"]>[1]) {
        judge(input);
        return fetch.socket(input, options);
      },
      async [Symbol.asyncDispose]() {},
    },
  );
}
