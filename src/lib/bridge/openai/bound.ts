import type { BridgeEvent } from "../bridge-event.ts";

/**
 * What happens in a turn, for an encoder that keeps the whole answer: one longer than `maxChars` ends as failed there, since it could be of any length
 * (`maxArtifactBytes: roll`). Chunks of a chat completion keep nothing and need no bound.
 */
export async function* bounded(batches: AsyncIterable<readonly BridgeEvent[]>, maxChars: number, link: string): AsyncGenerator<readonly BridgeEvent[]> {
  let left = maxChars;
  for await (const batch of batches) {
    for (const event of batch) left -= sizeOf(event);
    if (left < 0) {
      const message = `The answer is longer than ${maxChars} characters (maxInlineBytes). Read it as a stream of chat completions, or at ${link}.`;
      yield [{ kind: "end", end: { outcome: "failed", code: "too-large", message, retryable: false } }];
      return;
    }
    yield batch;
  }
}

/** What happens until the turn ends, or until its user must authorise something elsewhere: who waits for a whole answer has to be told. */
export async function* untilAuth(batches: AsyncIterable<readonly BridgeEvent[]>): AsyncGenerator<readonly BridgeEvent[]> {
  for await (const batch of batches) {
    yield batch;
    if (waitsForAuth(batch)) return;
  }
}

/** Whether the task waits for its user to authorise something at the end of `batch`. */
export function waitsForAuth(batch: readonly BridgeEvent[]): boolean {
  const last = batch.findLast(({ kind }) => kind === "auth");
  return last?.kind === "auth" && last.waits;
}

function sizeOf(event: BridgeEvent): number {
  switch (event.kind) {
    case "text":
    case "reasoning":
      return event.delta.length;
    case "file":
      return event.url.length;
    case "data":
      return JSON.stringify(event.value).length;
    case "tool-call":
      return event.arguments?.length ?? 0;
    case "tool-result":
      return event.output?.length ?? 0;
    default:
      return 0;
  }
}
