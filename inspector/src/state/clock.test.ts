import assert from "node:assert/strict";
import { mock, test } from "node:test";
import fc from "fast-check";
import { learnClock, narrow, offsetOf, serverNow, watchClock } from "./clock.ts";
import { pageNow } from "./frame.ts";

test("clocks that may be the same count as the same", () => {
  assert.equal(offsetOf(undefined), 0);
  assert.equal(offsetOf(narrow(undefined, { stamp: 10_000, asked: 10_400, came: 10_460 })), 0);
});

test("the server's clock is known within a second after one answer, and better with each, however far off the page is", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: -86_400_000, max: 86_400_000 }),
      fc.array(fc.record({ gap: fc.integer({ min: 0, max: 5000 }), out: fc.integer({ min: 0, max: 300 }), back: fc.integer({ min: 0, max: 300 }) }), {
        minLength: 1,
      }),
      (ahead, answers) => {
        let span;
        let page = 1_700_000_000_123;
        let before = Number.POSITIVE_INFINITY;
        for (const { gap, out, back } of answers) {
          const asked = page + gap;
          const came = asked + out + back;
          const stamp = Math.floor((asked + out + ahead) / 1000) * 1000;
          span = narrow(span, { stamp, asked, came });
          page = came;
          assert.ok(span.low <= ahead && ahead <= span.high, "the truth lies in it");
          assert.ok(span.high - span.low <= before, "it never grows");
          before = span.high - span.low;
        }
        assert.ok(Math.abs(offsetOf(span) - ahead) <= 1850);
      },
    ),
  );
});

test("a clock that was set is followed at once", () => {
  const first = narrow(undefined, { stamp: 100_000, asked: 100_200, came: 100_300 });
  const second = narrow(first, { stamp: 130_000, asked: 101_000, came: 101_100 });
  assert.ok(Math.abs(offsetOf(second) - 29_500) < 1000);
});

test("an answer without a stamp teaches nothing; one with a stamp moves the server's present", () => {
  learnClock(new Response(null), pageNow());
  assert.ok(Math.abs(serverNow() - pageNow()) < 1000);
  const ahead = Math.floor((pageNow() + 600_000) / 1000) * 1000;
  learnClock(new Response(null, { headers: { date: new Date(ahead).toUTCString() } }), pageNow());
  assert.ok(Math.abs(serverNow() - pageNow() - 600_000) < 2000);
});

test("after the page has slept the server is asked anew; as long as its clocks go alike it is not", (t) => {
  t.after(() => mock.timers.reset());
  let asked = 0;
  mock.timers.enable({ apis: ["setInterval"] });
  watchClock(() => (asked += 1));
  mock.timers.tick(60_000);
  assert.equal(asked, 0);
  mock.timers.reset();
  // A clock that has gone on while the page's stood still.
  mock.timers.enable({ apis: ["setInterval", "Date"], now: Date.now() });
  watchClock(() => (asked += 1));
  mock.timers.tick(5000);
  assert.equal(asked, 1);
});
