import type { IncomingMessage } from "node:http";
import type { Duplex } from "node:stream";
import type { Principal } from "../model/key.ts";
import type { Outbox } from "./outbox.ts";

/** The WebSocket endpoints of a server. The gateway has the guards and the credentials; what is said on a connection is the endpoint's. */
export interface Sockets {
  /** The endpoint of a path; undefined where there is none. */
  find(url: URL): SocketEndpoint | undefined;
  /**
   * Completes the handshake and serves the connection until it ends; `request` is known to come from an allowed host and origin. Throws `limit-reached` when there
   * are too many connections, `invalid-request` for a handshake that is none: then nothing was written.
   */
  accept(handshake: Handshake): void;
  /** Completes the handshake only to say with a close code why there is no connection: a browser cannot see the status of a refused one. */
  turnAway(handshake: Omit<Handshake, "principal">, code: number, reason: string): void;
  /** Ends every connection with 1012 after what was sent, and resolves when all are gone; what does not go within a second is cut. New ones are turned away. */
  end(): Promise<void>;
  /** How many connections are open. */
  readonly size: number;
}

/** A request to upgrade. */
export interface Handshake {
  readonly request: IncomingMessage;
  readonly socket: Duplex;
  /** What came after the request already. */
  readonly head: Buffer;
  readonly url: URL;
  readonly endpoint: SocketEndpoint;
  readonly principal: Principal;
}

/** What is spoken at a path. */
export interface SocketEndpoint {
  /** The name of the subprotocol. A client that names subprotocols must name it; one that names none is taken to speak it. */
  readonly protocol: string;
  /** Asked before a connection is opened; absent: everybody may, as often as they like. Throws `limit-reached`. */
  readonly admit?: (caller: { readonly principal: Principal; readonly address: string }) => void;
  /** Serves one connection. Called once each; must not throw. */
  serve(connection: SocketConnection): void;
}

/** Answers where the endpoint of a path is; undefined for paths that are none of its own. */
export type SocketRoute = (url: URL) => SocketEndpoint | undefined;

/** One connection, of a caller that is known. */
export interface SocketConnection {
  readonly principal: Principal;
  readonly url: URL;
  /** A header of the handshake by its lower-case name; several values joined by ", ". */
  header(name: string): string | undefined;
  readonly outbox: Outbox;
  /** Aborted when the connection is over, whoever ended it. */
  readonly signal: AbortSignal;
  /** Is given each message, whole and not larger than `maxSocketMessageBytes`. To be called once, by `serve`. */
  receive(take: (message: Buffer) => void): void;
  /** Ends the connection after what was said; nothing is received any more. A long reason is cut. */
  close(code: number, reason: string): void;
}
