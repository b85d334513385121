import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Attempt } from "../../src/lib/campaign/attempt.ts";
import { campaignHash } from "../../src/lib/campaign/hash.ts";
import type { Progress, Summary } from "../../src/lib/campaign/progress.ts";
import { readCampaign } from "../../src/lib/campaign/read-campaign.ts";
import { openLedger } from "../../src/lib/main/open-ledger.ts";
import { joinKey } from "../../src/lib/model/key.ts";
import type { Ias, RunningProgram } from "./program.ts";
import { startTarget } from "./server.ts";
import { targets } from "./targets.ts";

/** A campaign of battles with our own server's load agent, which has a process of its own. */
export interface CampaignLoad {
  readonly battles: number;
  readonly concurrency: number;
  /** Chunks of a battle, and chunks a second; 0: as fast as they go. */
  readonly n: number;
  readonly rate: number;
  readonly thresholds: Readonly<Record<string, string>>;
}

/** A campaign that runs. */
export interface RunningCampaign extends AsyncDisposable {
  readonly program: RunningProgram;
  readonly folder: string;
  /** CPU of the subject's process so far, µs. */
  subjectCpu(): Promise<number>;
  /** Resolves when it has ended. Rejects when it ended badly. */
  readonly ended: Promise<Summary>;
}

/** Starts the load agent and `ias campaign run` on it. `onEnded` hears how many attempts have ended, at each; the results folder goes with the campaign. */
export async function startCampaign(ias: Ias, load: CampaignLoad, onEnded: (count: number) => void = () => {}): Promise<RunningCampaign> {
  const target = targets.find(({ name }) => name === "memory");
  if (target === undefined) throw new Error("There is no target memory.");
  const server = await startTarget(target);
  const folder = mkdtempSync(join(tmpdir(), "ias-bench-campaign-"));
  const prompt = JSON.stringify({ n: load.n, rate: load.rate });
  const items = Array.from({ length: load.battles }, (_, n) => JSON.stringify({ id: `item-${n}`, prompt, expected: "# token" }));
  writeFileSync(join(folder, "items.jsonl"), `${items.join("\n")}\n`);
  const file = join(folder, "campaign.yaml");
  const subjects = [{ id: "load", url: `http://127.0.0.1:${server.port}/a2a/bench`, concurrency: load.concurrency }];
  const { concurrency, thresholds } = load;
  writeFileSync(file, JSON.stringify({ name: "bench", items: "items.jsonl", subjects, green: "contains", concurrency, thresholds }));
  let count = 0;
  let summary: Summary | undefined;
  const program = ias.start(["campaign", "run", file, "--out", join(folder, "results"), "--json"], {
    onLine(line) {
      const progress = JSON.parse(line) as Progress;
      if (progress.kind === "attempt-ended") onEnded((count += 1));
      if (progress.kind === "warning") console.log(`  ${progress.code}: ${progress.message}`);
      if (progress.kind === "ended") ({ summary } = progress);
    },
  });
  const ended = program.ended.then((code) => {
    if (code !== 0 || summary === undefined) throw new Error(`ias campaign run ended with ${code}.`);
    return summary;
  });
  ended.catch(() => {});
  return {
    program,
    folder: join(folder, "results"),
    subjectCpu: async () => (await server.sample()).cpu,
    ended,
    async [Symbol.asyncDispose]() {
      await server[Symbol.asyncDispose]();
      await ended.catch(() => {});
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

/** All attempts of a results folder's `results.jsonl`. */
export function readResults(folder: string): readonly Attempt[] {
  const lines = readFileSync(join(folder, "results.jsonl"), "utf8").trimEnd().split("\n");
  return lines.map((line) => JSON.parse(line) as Attempt);
}

/** Chunks that an answer of the load agent has. */
export function chunksOf({ outcome }: Attempt): number {
  return outcome?.kind === "judged" ? outcome.answer.split("# token").length - 1 : 0;
}

/** What a made ledger holds. */
export interface MadeLedger {
  readonly battles: number;
  /** Pieces that an answer came in, and characters of each. */
  readonly pieces: number;
  readonly pieceLength: number;
}

/** Writes the ledger of a campaign that has ended, by the ledger's own writer, without a subject. */
export async function makeLedger(folder: string, { battles, pieces, pieceLength }: MadeLedger): Promise<void> {
  const items = Array.from({ length: battles }, (_, n) => ({ id: `item-${n}`, prompt: "Say something.", expected: "word" }));
  const file = JSON.stringify({ name: "made", items, subjects: ["http://127.0.0.1:1/"] });
  const campaign = readCampaign(file, { path: "campaign.yaml", readFile: () => "" });
  const [subject] = campaign.subjects;
  if (subject === undefined) throw new RangeError("The campaign has a subject.");
  await using ledger = openLedger(folder);
  await ledger.create(campaign, campaignHash(campaign));
  const text = "word ".repeat(pieceLength / 5);
  const began = Date.now();
  let next = 0;
  const lane = async (): Promise<void> => {
    for (let item = items[next]; item !== undefined; item = items[next]) {
      const startedAt = began + next;
      next += 1;
      const ids = { battle: joinKey(subject.id, item.id, "1"), subject: subject.id, item: item.id, repeat: 1, attempt: 1 };
      const named = { messageId: crypto.randomUUID(), contextId: crypto.randomUUID(), taskId: crypto.randomUUID(), startedAt };
      const measured = {
        events: pieces,
        contents: pieces,
        tokens: pieces,
        ttftMs: 100,
        gapP50Ms: 20,
        gapP95Ms: 25,
        gapMaxMs: 30,
        workedMs: 2000,
        durationMs: 2000,
      };
      const writer = await ledger.begin({ ...ids, ...named, measured, episodes: [] });
      const artifact = { artifactId: "a1", parts: [{ text }] };
      for (let piece = 0; piece < pieces; piece += 1)
        writer.note({ artifactUpdate: { taskId: named.taskId, contextId: named.contextId, artifact, append: piece > 0 } });
      const outcome = { kind: "judged", verdict: { pass: true, score: 1 }, answer: text.repeat(pieces) } as const;
      await writer.end({ outcome, endedAt: startedAt + 2000, measured });
    }
  };
  await Promise.all(Array.from({ length: 20 }, lane));
}
