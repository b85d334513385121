import { EXIT, type Io } from "../cli/command.ts";
import type { Server } from "./server.ts";

/** Resolves at the first SIGINT or SIGTERM after a drain; a second one ends the process at once. */
export async function untilStopped(io: Io, server: Pick<Server, "drain" | "drainGraceMs">): Promise<void> {
  const { promise, resolve: stop } = Promise.withResolvers<void>();
  let signals = 0;
  const off = io.onInterrupt((signal) => {
    signals += 1;
    if (signals > 1) process.exit(EXIT.interrupted);
    if (!io.json)
      io.err(
        `\n${signal}: no new work; running turns get ${Math.round(server.drainGraceMs / 1000)} s, what is left goes on after the next start. Again to stop at once.\n`,
      );
    server.drain({ graceMs: server.drainGraceMs }).then(stop, stop);
  });
  await promise;
  off();
}
