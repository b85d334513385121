import { request as send } from "undici";
import type { Json } from "../../model/a2a.ts";
import { parseLeniently } from "./clients/http-stream.ts";

/** A whole HTTP response. */
export interface RawResponse {
  readonly status: number;
  readonly headers: Headers;
  readonly text: string;
  /** The body as JSON; the text itself where it is none. */
  readonly json: Json;
}

/** Plain HTTP to the agent's endpoints, for requests that no client would send: exactly the given headers, no caching, no redirects. */
export interface Raw {
  /** Endpoint of JSON-RPC as the card names it, without trailing slash; undefined where it is not declared. */
  readonly jsonRpcUrl: string | undefined;
  /** Base of REST as the card names it, without trailing slash. */
  readonly restUrl: string | undefined;
  request(method: string, url: string, options?: { readonly headers?: Record<string, string>; readonly body?: string }): Promise<RawResponse>;
}

/** Makes a `Raw`. `extensions` are declared with each request unless it names the header itself. */
export function createRaw(urls: Pick<Raw, "jsonRpcUrl" | "restUrl">, options: { extensions: readonly string[]; timeoutMs: number }): Raw {
  const common: Record<string, string> = options.extensions.length === 0 ? {} : { "a2a-extensions": options.extensions.join(",") };
  return {
    ...urls,
    async request(method, url, { headers = {}, body } = {}) {
      const signal = AbortSignal.timeout(options.timeoutMs);
      const response = await send(url, { method, headers: { ...common, ...headers }, body: body ?? null, signal });
      const text = await response.body.text();
      const received = new Headers();
      for (const [name, value] of Object.entries(response.headers)) if (value !== undefined) received.set(name, String(value));
      return { status: response.statusCode, headers: received, text, json: parseLeniently(text) };
    },
  };
}
