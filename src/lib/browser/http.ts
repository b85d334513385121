import type { ApiError } from "../model/api.ts";
import type { ErrorCode } from "../model/errors.ts";
import type { ClientOptions } from "./client.ts";
import { ClientError, fromApiError, lost } from "./client-error.ts";

/** Requests to one server. */
export interface Http {
  /** The server's address; "" for the page's own origin. */
  readonly baseUrl: string;
  /** An answer of 2xx. Throws `ClientError` for all others, and for no answer at all. */
  request(path: string, init?: RequestInit): Promise<Response>;
  /** JSON of an answer. `body` is sent as JSON, a FormData as it is. */
  json<T>(
    method: string,
    path: string,
    options?: {
      readonly body?: unknown;
      readonly signal?: AbortSignal | undefined;
      readonly tries?: number;
      readonly headers?: Readonly<Record<string, string>>;
    },
  ): Promise<T>;
}

/** What a query string is made of; undefined and empty members are left out, lists are joined with commas. */
export type Query = Readonly<Record<string, string | number | boolean | readonly string[] | undefined>>;

/** `path` with a query string. */
export function withQuery(path: string, query: Query): string {
  const given = Object.entries(query).filter(([, value]) => value !== undefined && value !== "" && !(Array.isArray(value) && value.length === 0));
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()}`;
}

/** Requests with the client's headers. */
export function createHttp({ baseUrl = "", fetch: own, headers = {} }: ClientOptions): Http {
  // Called without a `this`, which a browser's fetch does not bear.
  const send = own ?? ((input: string, init?: RequestInit) => fetch(input, init));
  const base = baseUrl.replace(/\/+$/, "");

  const request: Http["request"] = async (path, init = {}) => {
    const given = typeof headers === "function" ? await headers() : headers;
    let response: Response;
    try {
      response = await send(base + path, { ...init, headers: { ...given, ...(init.headers as Record<string, string> | undefined) } });
    } catch (error) {
      init.signal?.throwIfAborted();
      throw lost(`The server is not reached: ${error instanceof Error ? error.message : String(error)}`, { cause: error });
    }
    if (response.ok) return response;
    throw await refusal(response);
  };

  return {
    baseUrl: base,
    request,
    async json<T>(method: string, path: string, options: Parameters<Http["json"]>[2] = {}) {
      const { body, signal, tries = method === "GET" ? 3 : 1, headers: more } = options;
      const isForm = typeof FormData === "function" && body instanceof FormData;
      const init: RequestInit = {
        method,
        headers: { ...more, accept: "application/json", ...(body !== undefined && !isForm && { "content-type": "application/json" }) },
        ...(body !== undefined && { body: isForm ? body : JSON.stringify(body) }),
        ...(signal !== undefined && { signal }),
      };
      for (let left = tries - 1; ; left -= 1) {
        try {
          const response = await request(path, init);
          return (response.status === 204 ? undefined : await response.json()) as T;
        } catch (error) {
          signal?.throwIfAborted();
          if (!(error instanceof ClientError) || !error.retryable || left === 0) throw error;
          await sleep(error.retryAfterMs ?? 250 * 2 ** (tries - left - 1), signal);
        }
      }
    },
  };
}

/** What a refused request says; of a proxy in between only the status is known. */
async function refusal(response: Response): Promise<ClientError> {
  const { status } = response;
  try {
    const said = (await response.json()) as ApiError;
    if (typeof said.error.code === "string" && typeof said.error.message === "string") return fromApiError(said);
  } catch {
    // Not the API's own answer.
  }
  const after = Number(response.headers.get("retry-after"));
  const code: ErrorCode =
    status === 401 ? "unauthenticated" : status === 403 ? "forbidden" : status === 404 ? "not-found" : status >= 500 ? "unavailable" : "invalid-request";
  const retryable = status >= 500 || status === 408 || status === 425 || status === 429;
  return new ClientError(code, `The server answered ${status}.`, { retryable, ...(after > 0 && { retryAfterMs: after * 1000 }) });
}

/** Waits `ms`, or until the browser says that it is online again. Throws the signal's reason. */
export async function sleep(ms: number, signal: AbortSignal | undefined): Promise<void> {
  signal?.throwIfAborted();
  const page = globalThis as unknown as Partial<EventTarget>;
  await new Promise<void>((resolve, reject) => {
    const done = (): void => {
      clearTimeout(timer);
      page.removeEventListener?.("online", done);
      signal?.removeEventListener("abort", done);
      if (signal?.aborted === true) reject(signal.reason as Error);
      else resolve();
    };
    const timer = setTimeout(done, ms);
    page.addEventListener?.("online", done);
    signal?.addEventListener("abort", done);
  });
}
