import type { IncomingMessage } from "node:http";
import { IasError } from "../model/errors.ts";

/** A header of a request by its lower-case name; several values joined by ", ". */
export function headerReader(request: IncomingMessage): (name: string) => string | undefined {
  return (name) => {
    const value = request.headers[name];
    return Array.isArray(value) ? value.join(", ") : value;
  };
}

/** The Host header; undefined if there is none, or more than one (RFC 9112, 3.2), of which another server may take another. */
export function hostOf(request: IncomingMessage): string | undefined {
  const hosts = request.headersDistinct["host"];
  return hosts?.length === 1 ? hosts[0] : undefined;
}

/** The path and query of a request, on a host that means nothing. Throws `invalid-request`. */
export function readUrl(text: string | undefined): URL {
  if (text === undefined || !text.startsWith("/") || !URL.canParse(text, "http://localhost"))
    throw new IasError("invalid-request", "The request's path is unreadable.");
  return new URL(`http://localhost${text}`);
}
