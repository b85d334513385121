/** What a server says of itself when the bench asks. */
export interface Sample {
  /** User and system time of the process with all its threads, µs (`process.cpuUsage`). */
  readonly cpu: number;
  /** Resident memory now and at its highest, bytes. */
  readonly rss: number;
  readonly peak: number;
  /** JavaScript objects and what they hold outside of the heap, bytes. */
  readonly heap: number;
}

/** Answers the bench over the channel of its child process, and ends with it. Without a channel it does nothing. */
export function answerBench(): void {
  if (process.send === undefined) return;
  process.on("disconnect", () => process.exit(0));
  process.on("message", (ask: unknown) => {
    if (ask === "gc") globalThis.gc?.();
    const { user, system } = process.cpuUsage();
    const { rss, heapUsed, external } = process.memoryUsage();
    process.send?.({ cpu: user + system, rss, peak: process.resourceUsage().maxRSS * 1024, heap: heapUsed + external } satisfies Sample);
  });
}
