/** What a test agent shall do, as the JSON text of the message to it. All foreign test servers understand it. */
export interface Script {
  /** `chunks`: artifact `a1` in chunks, then COMPLETED. `status`: the same as status messages. `reply`: a direct message. The others end as their name says. */
  readonly do: "chunks" | "status" | "reply" | "ask" | "auth" | "fail" | "wait";
  readonly chunks?: readonly string[];
  /** Pause before each chunk, ms. */
  readonly everyMs?: number;
  /** A Python agent makes each chunk only after `release` was called once more. */
  readonly gated?: boolean;
  /** Of the reply, or of the final status. */
  readonly text?: string;
}

/** Chunks that show loss, repetition and bad decoding: numbered, of different lengths, beyond ASCII. */
export function numberedChunks(count: number): readonly string[] {
  return Array.from({ length: count }, (_, index) => `${index} ${["", "ä", "é中", "😀", "  "][index % 5]}${index % 7 === 0 ? "\n" : ""};`);
}
