import { setTimeout as wait } from "node:timers/promises";
import { defineAgent } from "../../src/lib/engine/define-agent.ts";
import { scripted } from "../../src/lib/engine/scripted.ts";
import { createMemoryStore } from "../../src/lib/log/memory.ts";
import { startServer } from "../../src/lib/main/server.ts";

// `node inspector.ts <streams> <tokens a second each>`: a server of so many agents that speak until they are canceled. Prints its URL; ends with its stdin.
const streams = Number(process.argv[2]);
const rate = Number(process.argv[3]);

const agents = Array.from({ length: streams }, (_, index) =>
  defineAgent({
    id: `agent-${String(index + 1).padStart(2, "0")}`,
    engine: scripted(async function* (_turn, { signal }) {
      const began = performance.now();
      for (let n = 0; !signal.aborted; n += 1) {
        // By the clock and not by pauses, so that the rate holds however late a timer is.
        const due = began + (n * 1000) / rate - performance.now();
        if (due > 0) await wait(due, undefined, { signal });
        yield { kind: "text", text: `token-${n} ` };
      }
    }),
  }),
);
const server = await startServer({ store: createMemoryStore({}), port: 0, grpcPort: false, agents });
process.stdout.write(`${server.url}\n`);
process.stdin.on("end", () => process.exit(0)).resume();
