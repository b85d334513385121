import { randomBytes } from "node:crypto";
import { createPush } from "../../src/lib/a2a/push/push.ts";
import type { Call } from "../../src/lib/a2a/operations.ts";
import { createSqliteStore } from "../../src/lib/log/sqlite.ts";
import { createInlineMedia } from "../support/inline-media.ts";
import { DEFAULT_LIMITS } from "../../src/lib/model/limits.ts";
import { createGuardedFetch } from "../../src/lib/net/guarded-fetch.ts";
import { systemClock } from "../../src/lib/stream/clock.ts";
import { createTaskViews } from "../../src/lib/task/view.ts";
import { createSecrets } from "../../src/lib/tenancy/secrets.ts";
import { keyOf, openWriter, rowOf, statusEntry, textEntries, textEntry } from "../../src/lib/testing/log-support.ts";

// A process to be killed: `folder url count`. The first one writes a whole task of `count` numbered chunks with a webhook; each delivers until it is killed or done.
const [folder = "", url = "", count = "0"] = process.argv.slice(2);
const key = keyOf("told");
const store = createSqliteStore({ folder });
const push = createPush({
  log: store.log,
  records: store.records,
  views: createTaskViews(store.log),
  media: createInlineMedia(),
  fetch: createGuardedFetch({ allowLocal: true }),
  issuer: () => "",
  limits: DEFAULT_LIMITS,
  secrets: createSecrets(randomBytes(32)),
  clock: systemClock,
  random: Math.random,
  mayReply: () => false,
  report: (error) => console.error(error),
  coalesce: { maxMs: 5, maxBytes: 4096 },
  backoff: { firstMs: 5, maxMs: 20 },
});
if ((await store.log.read(key, { after: 0, maxBytes: 0 })) === undefined) {
  const writer = await openWriter(store.log, key);
  await writer.write([statusEntry("TASK_STATE_WORKING")], { index: rowOf(key) });
  await push.create({ principal: key, version: "1.0" } as unknown as Call, key, { id: "hook", url });
  const total = Number(count);
  for (let first = 1; first <= total; first += 100) await writer.write(first === 1 ? [textEntry("token 1 "), ...textEntries(99, 2)] : textEntries(100, first));
  await writer.write([statusEntry("TASK_STATE_COMPLETED")], { index: rowOf(key, { state: "TASK_STATE_COMPLETED" }) });
}
await push.start();
console.log("delivering");
while (push.deliveries > 0) await new Promise((resolve) => setTimeout(resolve, 20));
console.log("done");
await push[Symbol.asyncDispose]();
await store[Symbol.asyncDispose]();
