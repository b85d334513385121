/** Answers requests for something that is not an A2A operation (cards, files, keys, health); undefined for a path that is none of its own. Throws `IasError`. */
export type Page = (request: PageRequest) => Promise<PageReply | undefined>;

/** A request that the gateway has checked (SEMANTICS 23). */
export interface PageRequest {
  readonly method: string;
  readonly url: URL;
  /** A header by its lower-case name; several values joined by ", ". */
  header(name: string): string | undefined;
}

/** A whole answer; the body of a HEAD is left out by the gateway, and a stream that is given must be read or returned. */
export interface PageReply {
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | Uint8Array | AsyncIterable<Uint8Array>;
}

/** Asks pages one after the other. */
export function joinPages(...pages: readonly Page[]): Page {
  return async (request) => {
    for (const page of pages) {
      const reply = await page(request);
      if (reply !== undefined) return reply;
    }
    return undefined;
  };
}

/** The answer to a method that a page does not have. */
export function methodNotAllowed(allowed: string): PageReply {
  return { status: 405, headers: { allow: allowed, "content-type": "text/plain" }, body: `Only ${allowed} are understood here.\n` };
}
