import type { WireFacts } from "../state/stream.ts";
import type { Conditions } from "../state/transport.ts";

/** The networks that one can pick, from good to bad. */
export const CONDITIONS: readonly { readonly name: string; readonly words: string; readonly conditions: Conditions | undefined }[] = [
  { name: "good", words: "as it is", conditions: undefined },
  { name: "far", words: "far away: 250 ms late", conditions: { latencyMs: 250 } },
  { name: "mobile", words: "a train: 400 ms late, 20 kB/s", conditions: { latencyMs: 400, bytesPerSecond: 20_000 } },
  { name: "modem", words: "a modem: 3 kB/s", conditions: { bytesPerSecond: 3000 } },
  { name: "awful", words: "awful: 2 s late, 1 kB/s", conditions: { latencyMs: 2000, bytesPerSecond: 1000 } },
];

/** What the cuts cost, in a sentence that says what it is proved by. */
export function sumUp({ resumes, missed, repeated }: WireFacts): string {
  if (resumes.length === 0)
    return "Every entry has a number. Cut the wire while tokens arrive: the page comes back with its cursor, and counts by the numbers what is missing or came twice.";
  const times = resumes.length === 1 ? "The wire was lost once" : `The wire was lost ${resumes.length} times`;
  const longest = Math.round(Math.max(...resumes.map(({ tookMs }) => tookMs)));
  const cost = missed === 0 && repeated === 0 ? "no entry is missing and none came twice" : `${missed} entries are missing and ${repeated} came twice`;
  return `${times}, for ${longest} ms at the longest: ${cost}, by their numbers.`;
}
