import type { ReadonlySignal } from "@preact/signals";
import type { StreamEntry, StreamOpened } from "../../../src/lib/model/api.ts";
import { askKey } from "./call.ts";

/**
 * One connection to one stream, from its cursor on. The iteration ends without `end` when the server lets go (come back), and throws when the wire is lost:
 * `LostWire` where it knows more. It leaves its connection when it is left or `signal` is aborted.
 */
export type Transport = (
  request: { readonly agent: string; readonly task: string; readonly after?: string },
  options: { readonly signal: AbortSignal; readonly conditions: ReadonlySignal<Conditions | undefined> },
) => AsyncIterable<Told>;

/** What a connection tells. */
export type Told =
  | { readonly kind: "opened"; readonly stream: StreamOpened }
  | { readonly kind: "entries"; readonly entries: readonly StreamEntry[]; readonly cursor: string }
  /** The stream is sealed and wholly told. */
  | { readonly kind: "end" };

/** A bad network, made in the page: what has arrived is held back. With a rate, the server is read no faster, so that its side feels it too. */
export interface Conditions {
  readonly latencyMs?: number;
  readonly bytesPerSecond?: number;
}

/** Why a connection is not there. `final`: trying again does not help. */
export class LostWire extends Error {
  override readonly name = "LostWire";
  readonly final: boolean;

  constructor(message: string, options: { readonly final: boolean }) {
    super(message);
    this.final = options.final;
  }
}

/** The session is over. Where the person says anew who they are, the stream goes on from its cursor. */
export async function signedOut(message: string): Promise<LostWire> {
  return new LostWire(message, { final: !(await askKey({ again: false })) });
}
