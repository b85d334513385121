import assert from "node:assert/strict";
import { test, type TestContext } from "node:test";
import { until } from "../../../test/support/scripted-feed.ts";
import { ClientError, lost } from "../../../src/lib/browser/client-error.ts";
import type { Piece, Source } from "../../../src/lib/browser/source.ts";
import { type Feed, followAll } from "./feed.ts";

function follow(t: TestContext, source: Source): Feed {
  const feed = followAll({ take() {}, restart() {} }, { source });
  t.after(() => feed.close());
  return feed;
}

/** A source that cannot be had. */
function failing(error: ClientError): Source {
  return async function* () {
    const none: readonly Piece[] = [];
    yield* none;
    throw error;
  };
}

test("what stands in the way is told with what comes then: it is tried again, or not", async (t) => {
  const later = { retryable: true, retryAfterMs: 600_000 };
  for (const [error, state, trouble] of [
    [lost("socket hang up", later), "lost", "The server cannot be reached just now. The page goes on by itself when it is back."],
    [new ClientError("limit-reached", "Too many streams.", later), "lost", "Too many streams. It is tried again by itself."],
    [new ClientError("forbidden", "Not for you."), "refused", "Not for you."],
    [new ClientError("unauthenticated", "Who are you?"), "refused", "Who are you? The page goes on when a key is given."],
  ] as const) {
    const feed = follow(t, failing(error));
    await until(() => [feed.state.value, feed.trouble.value], [state, trouble]);
  }
});

test("two servers with two logs behind one address are not hammered at: from the second in a row on it waits", { timeout: 60_000 }, async (t) => {
  const times: number[] = [];
  const five = Promise.withResolvers<void>();
  follow(t, async function* (_, signal) {
    times.push(performance.now());
    if (times.length === 5) five.resolve();
    signal.throwIfAborted();
    yield { kind: "feed", cursor: `${times.length % 2 === 0 ? "one" : "other"}.1`, frames: [] };
    throw lost("cut", { retryAfterMs: 0 });
  });
  await five.promise;
  const [, , third = 0, fourth = 0, fifth = 0] = times;
  // Timers are early by less than a millisecond.
  assert.ok(fourth - third > 990 && fifth - fourth > 990, times.join(" "));
});
