import type { JsonObject } from "../model/a2a.ts";
import type { IasError } from "../model/errors.ts";

/** A message, with the bytes that it took on the wire. */
export interface Received {
  readonly message: JsonObject;
  readonly size: number;
}

/** What has come for one request and was not taken yet. Credit bounds it: a sender stops when it is used up. */
export interface Inbox {
  push(received: Received): void;
  /** After what has come, `next` throws this. */
  fail(error: IasError): void;
  /** The next message, when it comes. One waits at a time. */
  next(): Promise<Received>;
}

/** An empty one. */
export function createInbox(): Inbox {
  const come: Received[] = [];
  let failure: IasError | undefined;
  let wake: (() => void) | undefined;
  return {
    push(received) {
      come.push(received);
      wake?.();
    },
    fail(error) {
      failure ??= error;
      wake?.();
    },
    async next() {
      for (;;) {
        const received = come.shift();
        if (received !== undefined) return received;
        if (failure !== undefined) throw failure;
        await new Promise<void>((resolve) => {
          wake = resolve;
        });
      }
    },
  };
}
