import { createSqliteStore } from "../../src/lib/log/sqlite.ts";
import { startServer } from "../../src/lib/main/server.ts";
import { serve } from "../../src/lib/main/serve.ts";
import { openSideChannel, proofAgents } from "./proof-agents.ts";

/**
 * A server in a process of its own, to be measured, cut off and killed: `node proof-server.ts <folder> <options as JSON>`. Says where it listens as one line
 * of JSON, and ends when its standard input does.
 */
export interface ProofServerOptions {
  /** Kills the process at the nth passing of a fail point of the store. */
  readonly failPoint?: string;
  readonly nth?: number;
  /** How far the log's clock is ahead, ms: leases of a killed process end without a wait. */
  readonly aheadMs?: number;
  /** Lets `steady` come to an end. */
  readonly finish?: boolean;
}

const [folder = "", json = "{}"] = process.argv.slice(2);
const options = JSON.parse(json) as ProofServerOptions;
const { failPoint, nth = 1, aheadMs = 0 } = options;
const stop = Promise.withResolvers<void>();
const agents = proofAgents(openSideChannel(stop.resolve), { finish: options.finish === true });
// It is killed more often than a turn is tried again.
const settings = {
  limits: { maxAttempts: 1000 },
  agents,
  port: 0,
  grpcPort: 0,
  allowLocalTargets: true,
} as const;

let passed = 0;
const store =
  failPoint === undefined && aheadMs === 0
    ? undefined
    : createSqliteStore({
        folder,
        checkpointBytes: 100_000,
        maxBlockLength: 50_000,
        now: () => Date.now() + aheadMs,
        failPoint(name) {
          if (name !== failPoint) return;
          passed += 1;
          if (passed === nth) process.kill(process.pid, "SIGKILL");
        },
      });
const server = store === undefined ? await serve({ ...settings, dataDir: folder }) : await startServer({ ...settings, store });
process.stdout.write(`${JSON.stringify({ url: server.url, port: server.port, grpc: server.grpcAddress })}\n`);
await stop.promise;
await server[Symbol.asyncDispose]();
await store?.[Symbol.asyncDispose]();
