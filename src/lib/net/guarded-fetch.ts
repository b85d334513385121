import type * as undici from "undici";
import type { Agent, BodyInit as UndiciBody, buildConnector } from "undici";
import { IasError } from "../model/errors.ts";
import { type GuardedSocket, type GuardedSocketOptions, openSocket } from "./guarded-socket.ts";
import { createDeadline, type Deadline } from "./deadline.ts";
import { limitBody } from "./limit-body.ts";
import { toNetworkError } from "./network-error.ts";
import { type Allowance, judgeTarget, parseTarget, PUBLIC_ONLY, systemResolve, type Target } from "./target.ts";

/**
 * The one way out to an address that somebody else chose (SEMANTICS 24): webhook, file URL, foreign agent, card, MCP over HTTP.
 * Shaped like `fetch`, so that it can be given to libraries that take one. It resolves the name itself and connects to exactly the addresses that it has judged.
 *
 * Throws `IasError`: `invalid-params` (not an http(s) URL, credentials in it, port 0), `forbidden` with reason TARGET_NOT_ALLOWED, `limit-reached` with reason
 * REDIRECT_LIMIT, `too-large` with reason RESPONSE_TOO_LARGE (also while the body is read), `timeout` with reason CONNECT_TIMEOUT, HEADERS_TIMEOUT, IDLE_TIMEOUT or
 * TOTAL_TIMEOUT (retryable), `unavailable` (retryable; reason CONNECT_FAILED when nothing was sent), `aborted`. An HTTP error status is a response, not an error.
 */
export interface GuardedFetch extends AsyncDisposable {
  (url: string | URL, init?: GuardedInit): Promise<Response>;
  /** Judges a URL without sending anything: throws as a call would. What it resolves to may change; a later call judges again. */
  check(url: string | URL): Promise<Target>;
  /** Opens a WebSocket (`ws:`, `wss:`) to an address that is judged in the same way; the caller closes it. Throws as a call does. */
  socket(url: string | URL, options: GuardedSocketOptions): Promise<GuardedSocket>;
}

/** What `fetch` takes, and limits of this call. `method`, `headers`, `body` and `signal` count; redirects are always followed by hand. */
export interface GuardedInit extends RequestInit {
  readonly limits?: Partial<FetchLimits>;
  /** Asked before each hop; throws for an address that this call may not reach. */
  readonly mayReach?: (url: URL) => void;
}

/** Limits of a request. Times are ms; `Infinity` switches one off. */
export interface FetchLimits {
  /** Of the decoded response body; 32 MiB. */
  readonly maxBytes: number;
  /** Redirects followed; 5. 0 gives the redirect itself as response. */
  readonly maxRedirects: number;
  /** Until the response headers of one hop; 30 s. */
  readonly headersTimeoutMs: number;
  /** Between two chunks of the body; 60 s. */
  readonly idleTimeoutMs: number;
  /** From the call to the end of the body; 120 s. */
  readonly totalTimeoutMs: number;
}

/** Where a guarded fetch may go, and its limits. */
export interface GuardedFetchOptions {
  /** Loopback may be reached (`ALLOW_LOCAL_TARGETS=1` on a loopback-bound server). */
  readonly allowLocal?: boolean;
  /** Private ranges may be reached: only for targets that the operator chose, never a caller. */
  readonly allowPrivate?: boolean;
  readonly limits?: Partial<FetchLimits>;
  /** Until a connection is open, over all addresses of a name; 10 s. */
  readonly connectTimeoutMs?: number;
  /** Every address of a name, as text; the system's resolver by default. */
  readonly resolve?: (hostname: string) => Promise<readonly string[]>;
  /** Opens a connection to one of the judged addresses; `undici`'s connector by default. A seam for tests. */
  readonly connector?: (addresses: readonly string[], timeoutMs: number) => buildConnector.connector;
}

type Undici = typeof undici;

const DEFAULT_LIMITS: FetchLimits = {
  maxBytes: 32 * 1024 * 1024,
  maxRedirects: 5,
  headersTimeoutMs: 30_000,
  idleTimeoutMs: 60_000,
  totalTimeoutMs: 120_000,
};

/** Headers that may follow a redirect to another origin; all else may hold credentials. */
const SAFE_ACROSS_ORIGINS: ReadonlySet<string> = new Set([
  "accept",
  "accept-language",
  "content-type",
  "user-agent",
  "a2a-version",
  "a2a-extensions",
  "x-a2a-extensions",
]);
const REDIRECTS: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Makes a guarded fetch with its own connections; disposing it closes them. What makes connections is loaded with the first one: 8 MB that most servers never need. */
export function createGuardedFetch(options: GuardedFetchOptions = {}): GuardedFetch {
  const resolve = options.resolve ?? systemResolve;
  const connectTimeoutMs = options.connectTimeoutMs ?? 10_000;
  const allow: Allowance = { local: options.allowLocal ?? false, private: options.allowPrivate ?? false };
  const defaults = { ...DEFAULT_LIMITS, ...options.limits };
  let pools: Promise<Pools> | undefined;
  let closed = false;

  async function openPools(): Promise<Pools> {
    const undici = await import("undici");
    const connector = options.connector ?? ((addresses, timeoutMs) => connectPinned(undici, addresses, timeoutMs));
    const createAgent = (allowance: Allowance): Agent =>
      new undici.Agent({
        allowH2: false,
        connect: (target, callback) => void connect(connector, target, callback, allowance),
        webSocket: { maxPayloadSize: defaults.maxBytes },
      });
    // Two pools: a connection that was opened under a wider allowance must not serve a redirect that has a narrower one.
    const wide = createAgent(allow);
    return { undici, wide, narrow: allow.local || allow.private ? createAgent(PUBLIC_ONLY) : wide };
  }

  async function connect(connector: Connector, target: buildConnector.Options, callback: buildConnector.Callback, allowance: Allowance): Promise<void> {
    let addresses: readonly string[];
    try {
      addresses = await judgeTarget(target.hostname, allowance, resolve);
    } catch (error) {
      callback(IasError.from(error), null);
      return;
    }
    connector(addresses, connectTimeoutMs)(target, callback);
  }

  async function guardedFetch(input: string | URL, init: GuardedInit = {}): Promise<Response> {
    const limits = { ...defaults, ...init.limits };
    const first = parseTarget(input);
    const deadline = createDeadline(init.signal ?? undefined, limits.totalTimeoutMs);
    let hop: Hop = { url: first, method: (init.method ?? "GET").toUpperCase(), headers: new Headers(init.headers), body: init.body ?? null };
    try {
      if (closed) throw new IasError("unavailable", "The fetch is closed.");
      const { undici, wide, narrow } = await (pools ??= openPools());
      for (let redirects = 0; ; redirects += 1) {
        init.mayReach?.(hop.url);
        const response = await send(undici, hop, hop.url.hostname === first.hostname ? wide : narrow, limits, deadline.signal);
        const location = REDIRECTS.has(response.status) ? response.headers.get("location") : null;
        if (location === null || limits.maxRedirects === 0) return finish(response, hop.url, limits, deadline);
        await response.body?.cancel();
        if (redirects >= limits.maxRedirects)
          throw new IasError("limit-reached", `More than ${limits.maxRedirects} redirects from ${first.origin}.`, { reason: "REDIRECT_LIMIT" });
        hop = nextHop(hop, location, response.status);
      }
    } catch (error) {
      deadline.stop();
      throw deadline.explain(toNetworkError(error, hop.url));
    }
  }

  return Object.assign(guardedFetch, {
    async check(input: string | URL): Promise<Target> {
      const url = parseTarget(input);
      return { url, addresses: await judgeTarget(url.hostname, allow, resolve) };
    },
    async socket(input: string | URL, socketOptions: GuardedSocketOptions): Promise<GuardedSocket> {
      const url = parseTarget(String(input).replace(/^ws(s?):/i, "http$1:"));
      // Judged first, because undici says of a handshake that failed only that it did.
      await judgeTarget(url.hostname, allow, resolve);
      if (closed) throw new IasError("unavailable", "The fetch is closed.");
      const { undici, wide } = await (pools ??= openPools());
      url.protocol = url.protocol.replace("http", "ws");
      return openSocket(undici, wide, url, socketOptions);
    },
    async [Symbol.asyncDispose](): Promise<void> {
      closed = true;
      const opened = await pools;
      await Promise.all([opened?.wide.destroy(), opened?.narrow.destroy()]);
    },
  });
}

type Connector = NonNullable<GuardedFetchOptions["connector"]>;

interface Pools {
  readonly undici: Undici;
  readonly wide: Agent;
  readonly narrow: Agent;
}

interface Hop {
  readonly url: URL;
  readonly method: string;
  readonly headers: Headers;
  readonly body: NonNullable<RequestInit["body"]> | null;
}

async function send(undici: Undici, hop: Hop, dispatcher: Agent, limits: FetchLimits, signal: AbortSignal): Promise<Response> {
  const scoped = dispatcher.compose(
    (dispatch) => (options, handler) =>
      dispatch({ ...options, headersTimeout: finite(limits.headersTimeoutMs), bodyTimeout: finite(limits.idleTimeoutMs) }, handler),
  );
  return undici.fetch(hop.url, {
    method: hop.method,
    headers: [...hop.headers],
    redirect: "manual",
    dispatcher: scoped,
    signal,
    // The package's and Node's own types of one class; `duplex` is what a stream as body needs.
    ...(hop.body === null ? {} : { body: hop.body as UndiciBody, duplex: "half" }),
  });
}

function finish(response: Response, url: URL, limits: FetchLimits, deadline: Deadline): Response {
  if (response.body === null) {
    deadline.stop();
    return response;
  }
  const explain = (error: unknown): IasError => deadline.explain(toNetworkError(error, url));
  const body = limitBody(response.body, { maxBytes: limits.maxBytes, explain, done: deadline.stop });
  const limited = new Response(body, { status: response.status, statusText: response.statusText, headers: response.headers });
  Object.defineProperty(limited, "url", { value: url.href });
  return limited;
}

function nextHop(hop: Hop, location: string, status: number): Hop {
  if (!URL.canParse(location, hop.url))
    throw new IasError("remote-failed", `${hop.url.origin} redirects to something that is not a URL.`, { reason: "REDIRECT_INVALID" });
  const url = parseTarget(new URL(location, hop.url));
  if (hop.url.protocol === "https:" && url.protocol === "http:") {
    throw new IasError("forbidden", `${hop.url.origin} redirects from https to http.`, { reason: "TARGET_NOT_ALLOWED" });
  }
  const headers = new Headers();
  for (const [name, value] of hop.headers) if (url.origin === hop.url.origin || SAFE_ACROSS_ORIGINS.has(name)) headers.set(name, value);
  const toGet = status === 303 ? hop.method !== "HEAD" : status <= 302 && hop.method === "POST";
  if (!toGet && hop.body instanceof ReadableStream)
    throw new IasError("remote-failed", `${hop.url.origin} redirects a request whose body can be sent only once.`, { reason: "REDIRECT_INVALID" });
  if (!toGet) return { ...hop, url, headers };
  headers.delete("content-type");
  return { url, headers, method: "GET", body: null };
}

/** A connector that reaches the given addresses only: the socket's own lookup answers with them, so no second resolution can differ. */
function connectPinned(undici: Undici, addresses: readonly string[], timeoutMs: number): buildConnector.connector {
  const pinned = addresses.map((address) => ({ address, family: address.includes(":") ? 6 : 4 }));
  const first = pinned[0];
  return undici.buildConnector({
    timeout: timeoutMs,
    allowH2: false,
    autoSelectFamily: true,
    lookup: (_hostname, options, callback) => {
      if (options.all === true) callback(null, pinned);
      else callback(null, first?.address ?? "", first?.family ?? 4);
    },
  });
}

/** undici's way to say "no limit" is 0. */
function finite(ms: number): number {
  return Number.isFinite(ms) ? ms : 0;
}
