import { signal } from "@preact/signals";
import type { ApiError } from "../../../src/lib/model/api.ts";
import { type ErrorCode, IasError, messageOf } from "../../../src/lib/model/errors.ts";
import { learnClock } from "./clock.ts";
import { pageNow } from "./frame.ts";

/** The server asks who calls: the page shows the field for a key, and what waits goes on after it. `refused`: the person would rather not. */
export const keyWanted = signal<"no" | "missing" | "wrong" | "refused">("no");

/** Why a key could not be handed over; the key itself may be right. */
export const keyProblem = signal<string | undefined>(undefined);

let asked: PromiseWithResolvers<boolean> | undefined;
/** What failed for want of a key does not come back by itself. */
let failed = false;

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
  // What the page asks by itself does not ask a person twice; what the person does, does.
  if (response.status === 401 && (await askKey({ again: (options.method ?? "GET") !== "GET" }))) return callApi(path, options);
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

/** Trades a key for a session cookie that no script can read. What is wrong stands in `keyWanted` and `keyProblem`; true if it was taken. */
export async function giveKey(key: string): Promise<boolean> {
  keyProblem.value = undefined;
  try {
    const response = await request("/api/session", { method: "POST", headers: { authorization: `Bearer ${key}` } });
    if (response.status === 401) keyWanted.value = "wrong";
    else if (!response.ok) keyProblem.value = (await readFailure(response)).message;
    if (!response.ok) return false;
  } catch (error) {
    keyProblem.value = messageOf(error);
    return false;
  }
  keyWanted.value = "no";
  asked?.resolve(true);
  asked = undefined;
  if (failed) location.reload();
  return true;
}

/** The person would rather not: what waits fails with the server's refusal, and the page does not ask again by itself. */
export function refuseKey(): void {
  failed ||= asked !== undefined;
  keyWanted.value = "refused";
  keyProblem.value = undefined;
  asked?.resolve(false);
  asked = undefined;
}

/** Asks the person who they are; true when that is known. `again`: also where they did not want to say. */
export function askKey({ again }: { readonly again: boolean }): Promise<boolean> {
  if (keyWanted.peek() === "refused" && !again) return Promise.resolve(false);
  if (keyWanted.peek() === "no" || keyWanted.peek() === "refused") keyWanted.value = "missing";
  asked ??= Promise.withResolvers();
  return asked.promise;
}

async function request(
  path: string,
  { method = "GET", query, body, signal, headers }: CallOptions & { readonly headers?: Readonly<Record<string, string>> },
): Promise<Response> {
  const form = body instanceof FormData;
  const asked = pageNow();
  try {
    const response = await fetch(apiPath(path, query), {
      method,
      ...(body !== undefined && { body: form ? body : JSON.stringify(body) }),
      headers: { ...headers, ...(body !== undefined && !form && { "content-type": "application/json" }) },
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
