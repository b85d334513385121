import { signal } from "@preact/signals";
import type { ApiError } from "../../../src/lib/model/api.ts";
import { type ErrorCode, IasError } from "../../../src/lib/model/errors.ts";
import { learnClock } from "./clock.ts";
import { pageNow } from "./frame.ts";

/** The server asks who calls: the page shows the field for a key, and what waits goes on after it. */
export const keyWanted = signal<"no" | "missing" | "wrong">("no");

let asked: PromiseWithResolvers<boolean> | undefined;

/** What is sent with a call. */
export interface CallOptions {
  readonly method?: "GET" | "POST" | "DELETE" | "PUT" | "PATCH";
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  /** Sent as JSON; a form as it is. */
  readonly body?: unknown;
  readonly signal?: AbortSignal;
}

/** Calls the API. Throws `IasError` with the server's code and words; asks the person for a key on 401, and calls again with it. */
export async function callApi<T>(path: string, options: CallOptions = {}): Promise<T> {
  const response = await request(path, options);
  if (response.status === 401 && (await askKey())) return callApi(path, options);
  if (!response.ok) throw await readFailure(response);
  return response.status === 204 ? (undefined as T) : ((await response.json()) as T);
}

/** A path with those of `query` that are given. */
export function apiPath(path: string, query: CallOptions["query"] = {}): string {
  const given = Object.entries(query).filter((pair): pair is [string, string | number] => pair[1] !== undefined && pair[1] !== "");
  return given.length === 0 ? path : `${path}?${new URLSearchParams(given.map(([name, value]) => [name, String(value)])).toString()}`;
}

/** The error that an answer of the API tells. */
export async function readFailure(response: Response): Promise<IasError> {
  const text = await response.text().catch(() => "");
  try {
    const { error } = JSON.parse(text) as ApiError;
    return new IasError(error.code as ErrorCode, error.message, {
      retryable: error.retryable,
      ...(error.reason !== undefined && { reason: error.reason }),
      ...(error.retryAfterMs !== undefined && { retryAfterMs: error.retryAfterMs }),
      ...(error.fields !== undefined && { fields: error.fields }),
    });
  } catch {
    return new IasError("unavailable", `The server answered ${response.status} ${response.statusText}.`, { retryable: response.status >= 500 });
  }
}

/** Trades a key for a session cookie that no script can read. False: the key is wrong. */
export async function giveKey(key: string): Promise<boolean> {
  const response = await fetch("/api/session", { method: "POST", headers: { authorization: `Bearer ${key}` } });
  if (!response.ok) {
    keyWanted.value = "wrong";
    return false;
  }
  keyWanted.value = "no";
  asked?.resolve(true);
  asked = undefined;
  return true;
}

/** The person would rather not: what waits fails with the server's refusal. */
export function refuseKey(): void {
  keyWanted.value = "no";
  asked?.resolve(false);
  asked = undefined;
}

function askKey(): Promise<boolean> {
  if (keyWanted.peek() === "no") keyWanted.value = "missing";
  asked ??= Promise.withResolvers();
  return asked.promise;
}

async function request(path: string, { method = "GET", query, body, signal }: CallOptions): Promise<Response> {
  const form = body instanceof FormData;
  const asked = pageNow();
  try {
    const response = await fetch(apiPath(path, query), {
      method,
      ...(body !== undefined && { body: form ? body : JSON.stringify(body) }),
      ...(body !== undefined && !form && { headers: { "content-type": "application/json" } }),
      ...(signal !== undefined && { signal }),
    });
    learnClock(response, asked);
    return response;
  } catch (error) {
    if (error instanceof Error && error.name === "AbortError") throw IasError.from(error);
    throw new IasError("unavailable", "The server cannot be reached. It may have stopped; this page goes on when it is back.", {
      cause: error,
      retryable: true,
    });
  }
}
