import type { Campaign } from "../../campaign/campaign.ts";
import { faultsText, rated } from "../../campaign/report/rated.ts";
import type { Summary } from "../../campaign/progress.ts";
import { wilson } from "../../campaign/report/statistics.ts";
import { count, counted, duration, livenessText, percent, score } from "../../campaign/report/words.ts";
import { EXIT } from "../command.ts";
import { toLine } from "../terminal.ts";
import { padText, textWidth } from "../text-width.ts";

const STATES: Record<Summary["state"], string> = {
  done: "done",
  running: "not done yet",
  paused: "paused",
  canceled: "canceled",
  exhausted: "ended below its target",
};

/** What a campaign has come to, for people; ends with a line feed. */
export function summaryText(summary: Summary, { passThreshold }: Pick<Campaign, "passThreshold">): string {
  const { judged, passed, meanScore, ttftMs, gapMs } = summary;
  const pass = wilson(passed, rated(summary));
  const share = pass.of === 0 ? "" : `, ${percent(pass.share)} passed (${count(passed)}; 95 % interval ${percent(pass.low)} to ${percent(pass.high)})`;
  const met =
    passThreshold === undefined || pass.of === 0
      ? ""
      : `; the threshold of ${percent(passThreshold)} is ${isMissed(summary, passThreshold) ? "missed" : "met"}`;
  const times = [
    ...(ttftMs === undefined ? [] : [`TTFT p50 ${duration(ttftMs.p50)}, p95 ${duration(ttftMs.p95)}`]),
    ...(gapMs === undefined ? [] : [`gap p50 ${duration(gapMs.p50)}, p95 ${duration(gapMs.p95)}`]),
  ];
  const subjects = Object.entries(summary.subjects);
  const width = Math.min(40, Math.max(0, ...subjects.map(([id]) => textWidth(toLine(id, 40)))));
  return [
    `${toLine(summary.campaign, 200)}: ${STATES[summary.state]}, ${count(judged)} of ${count(summary.target)} judged${share}${met}`,
    `  ${counted(summary.attempts, "attempt")}${list(", retries: ", summary.retries)}${list(", stalls: ", summary.stalls)}${list(", given up: ", summary.failed)}${list(", waiting to retry: ", summary.waiting)}`,
    `  ${[counted(summary.tokens, "token"), ...(meanScore === undefined ? [] : [`mean score ${score(meanScore)}`]), ...times].join("; ")}`,
    ...(summary.faults > 0 ? [`  ${faultsText(summary.faults)}; other failures are left out of the rate`] : []),
    ...(subjects.length > 1
      ? subjects.map(
          ([id, one]) => `  ${padText(toLine(id, 40), width)}  ${count(one.passed)} of ${count(rated(one))} passed, ${counted(one.attempts, "attempt")}`,
        )
      : []),
    ...subjects.flatMap(([id, { liveness }]) =>
      liveness.length === 0 ? [] : [`  ${subjects.length > 1 ? `${toLine(id, 40)} ` : ""}${toLine(livenessText(liveness), 1000)}`],
    ),
    "",
  ].join("\n");
}

/** What can be done about battles that were given up, as a line; empty where there are none. */
export function againText({ failed }: Pick<Summary, "failed">, folder: string): string {
  const given = Object.values(failed).reduce((sum, one) => sum + one, 0);
  if (given === 0) return "";
  const them = given === 1 ? "The battle that was given up is" : `The ${count(given)} battles that were given up are`;
  return `  ${them} not tried again by ${given === 1 ? "itself" : "themselves"}: put right what failed, then \`ias campaign requeue ${folder} --failed\` and run it again.\n`;
}

/** The exit code that a summary stands for. */
export function exitOf(summary: Summary, { passThreshold }: Pick<Campaign, "passThreshold">): number {
  switch (summary.state) {
    case "running":
    case "canceled":
      return EXIT.interrupted;
    case "exhausted":
      return EXIT.missed;
    case "paused":
    case "done":
      return isMissed(summary, passThreshold) ? EXIT.missed : EXIT.ok;
  }
}

function isMissed(summary: Summary, threshold: number | undefined): boolean {
  return threshold !== undefined && (rated(summary) === 0 || summary.passed / rated(summary) < threshold);
}

function list(title: string, counts: Readonly<Record<string, number>>): string {
  const parts = Object.entries(counts).map(([what, times]) => `${count(times)} ${toLine(what, 60)}`);
  return parts.length === 0 ? "" : `${title}${parts.join(", ")}`;
}
