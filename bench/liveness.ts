import { createTicker } from "../src/lib/liveness/ticker.ts";
import { startLiveness } from "../src/lib/liveness/liveness.ts";
import { step } from "../src/lib/liveness/step.ts";
import { resolveThresholds } from "../src/lib/liveness/thresholds.ts";

/**
 * What watching costs: the share of a core that the clock of so many streams takes (four looks a second each), and µs of CPU for a content.
 * Run: `node bench/liveness.ts [streams]`.
 */
const STREAMS = Number(process.argv[2] ?? 1000);
const SECONDS = 2000;
const thresholds = resolveThresholds({ adaptiveFactor: 4 });

let beat = (): void => {};
let now = 0;
using ticker = createTicker({
  now: () => now,
  every: (_ms, call) => {
    beat = call;
    return () => {};
  },
});
const states = Array.from({ length: STREAMS }, () => startLiveness(0, "prefill"));
let told = 0;
for (const n of states.keys()) {
  ticker.add((at, lagMs) => {
    const next = step(states[n] ?? startLiveness(0), { kind: "tick", at, lagMs }, thresholds);
    states[n] = next.state;
    told += next.events.length;
  });
}
const contents = (): void => {
  for (const [n, state] of states.entries()) states[n] = step(state, { kind: "signal", at: now, signal: { kind: "content" }, seq: n }, thresholds).state;
};
const cpuOf = (work: () => void): number => {
  const before = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(before);
  return user + system;
};
let ofTicks = 0;
let ofContents = 0;
for (let second = 0; second < SECONDS; second += 1) {
  const measured = second >= SECONDS / 10;
  const spent = cpuOf(contents);
  const ticked = cpuOf(() => {
    for (let n = 0; n < 20; n += 1) {
      now += 50;
      beat();
    }
  });
  if (measured) [ofContents, ofTicks] = [ofContents + spent, ofTicks + ticked];
}
const seconds = SECONDS * 0.9;
console.log(
  `${STREAMS} streams: clock ${((ofTicks / seconds / 1e6) * 100).toFixed(2)} % of a core, a content ${(ofContents / seconds / STREAMS).toFixed(2)} µs, ${told} told`,
);
