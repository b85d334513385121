import type { Principal } from "../model/key.ts";

/**
 * Answers requests of callers that are no A2A operation (the API, the bridges); undefined for a path that is none of its own. Asked after pages and before
 * A2A. What it throws becomes an error in REST's form: a route with another form of errors catches them itself.
 */
export type Route = (request: RouteRequest) => Promise<RouteReply | undefined>;

/** A request whose Host and Origin the gateway has checked (SEMANTICS 23). Neither caller nor body has been looked at. */
export interface RouteRequest {
  /** Upper case. */
  readonly method: string;
  readonly url: URL;
  /** A header by its lower-case name; several values joined by ", ". */
  header(name: string): string | undefined;
  /** The address that it comes from: of a proxy, where one stands in front. */
  readonly address: string;
  /** Who sends it. Throws `unauthenticated`. */
  principal(): Promise<Principal>;
  /** The whole body, at most `maxBodyBytes` of the server's limits. Throws `too-large`. To be asked once, or `chunks`. */
  body(): Promise<Buffer>;
  /** The body as it comes, without a limit. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Aborted when the caller is gone, and when the stream is too old or the server stops: then it ends without an error (SEMANTICS 9). */
  readonly signal: AbortSignal;
}

/** A whole answer, or server-sent events. */
export type RouteReply =
  | {
      readonly kind: "whole";
      readonly status: number;
      readonly headers: Readonly<Record<string, string>>;
      readonly body: string | Uint8Array | AsyncIterable<Uint8Array>;
    }
  | {
      readonly kind: "events";
      /** Beside those of every event stream. */
      readonly headers: Readonly<Record<string, string>>;
      /**
       * Encoded events ("id: …\ndata: …\n\n"), as many a piece as are at hand. The next piece is asked for once the socket has taken the one before. What it
       * throws ends the connection: an error that the reader should see is an event. `unavailable` breaks it off without a report: the reader is to come back.
       */
      readonly events: AsyncIterable<string>;
      /** What a quiet stream says (SEMANTICS 9). Default: ": hb\n\n". */
      readonly heartbeat?: () => string;
    };

/** Asks routes one after the other. */
export function joinRoutes(...routes: readonly Route[]): Route {
  return async (request) => {
    for (const route of routes) {
      const reply = await route(request);
      if (reply !== undefined) return reply;
    }
    return undefined;
  };
}
