import { z } from "zod";
import { SCHEMAS } from "../../api/schemas.ts";
import type { BattleRow, CampaignBoard, CampaignOverview } from "../../model/api.ts";
import type { Comparison } from "../report/compare.ts";
import type { ControlState } from "../ledger.ts";

// The words of campaigns in `model/api.ts` as schemas. Each is said to be of its type: a schema that gives something else does not compile.

const optional = z.exactOptional;
const count = z.number().int().min(0);
const ms = (about: string) => z.number().describe(`${about}, ms since the epoch`);

const overviewMembers = {
  name: z.string(),
  state: z.enum(["new", "running", "paused", "stopped", "done", "canceled", "exhausted"]),
  startable: z.boolean().describe("Its file stands in the campaigns' folder"),
  problem: optional(z.string().describe("Why its file is not right, or its last run here ended")),
  target: optional(count),
  judged: count,
  passed: count,
  failed: count,
  attempts: count,
  stalls: count,
  tokens: count,
  startedAt: optional(ms("When it was first run")),
  endedAt: optional(ms("When it reached its target")),
  runner: z.boolean().describe("A process runs it at this moment"),
  subjects: z.array(z.object({ id: z.string(), judged: count, passed: count, failed: count, attempts: count })),
};

const overviewSchema: z.ZodType<CampaignOverview> = z
  .object(overviewMembers)
  .register(SCHEMAS, { id: "CampaignOverview", description: "A campaign that can be started, or was run here." });

/** `{ campaigns }`. */
export const campaignListSchema = z.object({ campaigns: z.array(overviewSchema) });

/** What people asked for and a runner has not carried out. */
export const wishesSchema: z.ZodType<ControlState> = z
  .object({ paused: z.boolean(), canceled: z.boolean(), cancelBattles: z.array(z.string()), requeueBattles: z.array(z.string()) })
  .register(SCHEMAS, { id: "CampaignWishes", description: "What people asked for and the runner has not carried out." });

const battleSchema: z.ZodType<BattleRow> = z
  .object({
    battle: z.string(),
    subject: z.string(),
    item: z.string(),
    repeat: count,
    attempt: count,
    phase: z.string().describe("While it runs the phase of its stream, else how it ended"),
    running: z.boolean(),
    since: ms("When it came into this phase"),
    startedAt: ms("When its attempt began"),
    tokens: count,
    tokensPerSecond: optional(z.number()),
    ttftMs: optional(z.number()),
    score: optional(z.number()),
    liveness: optional(z.object({ mode: z.string(), why: z.string() })),
    why: optional(z.string()),
    episodes: z.array(z.object({ kind: z.enum(["slow", "stalled"]), fromMs: z.number(), untilMs: optional(z.number()), activity: z.string() })),
  })
  .register(SCHEMAS, { id: "BattleRow", description: "A battle on the board: its running attempt, or the one that stands for it." });

/** `CampaignBoard`. */
export const boardSchema: z.ZodType<CampaignBoard> = z
  .object({ ...overviewMembers, wishes: wishesSchema, battles: z.array(battleSchema), total: count })
  .register(SCHEMAS, { id: "CampaignBoard", description: "A campaign with its battles: those that run first, then the newest." });

/** What `ias campaign compare --json` says too. */
export const comparisonSchema = z
  .custom<Comparison>()
  .register(SCHEMAS, { id: "Comparison", description: "Two campaigns, battle by battle; the same as `ias campaign compare --json`." });
