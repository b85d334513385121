import type { CampaignBoard, CampaignOverview, StreamEntry } from "../../model/api.ts";
import { IasError } from "../../model/errors.ts";
import { systemClock } from "../../stream/clock.ts";
import type { LedgerEvent } from "../ledger.ts";
import { createLivePhases, type LivePhases, readBoard } from "./board.ts";
import type { CampaignDirectory, OpenCampaign } from "./directory.ts";

/** How often a board that is watched is read, ms; longer where its ledger is so long that it would take more than a twentieth of the time. */
const BOARD_MS = 500;
/** How often the stream of an attempt that runs is read, ms: it is another process' log. */
const STREAM_MS = 100;

/** What a board is read with. */
export interface BoardOptions {
  /** Most battles. */
  readonly limit: number;
  readonly live?: LivePhases;
}

/** A campaign as it stands. One that was never begun has no battles. */
export async function readCampaign(directory: CampaignDirectory, name: string, options: BoardOptions): Promise<CampaignBoard> {
  const overview = await directory.overview(name);
  await using open = overview.state === "new" ? undefined : await openBegun(directory, name);
  return await boardOf({ directory, overview, open }, options);
}

/** Undefined where its runner has only made the folder. */
async function openBegun(directory: CampaignDirectory, name: string): Promise<OpenCampaign | undefined> {
  try {
    return await directory.open(name);
  } catch (error) {
    if (IasError.from(error).code === "not-found") return undefined;
    throw error;
  }
}

/** Server-sent events: the board, again whenever it has changed, until nobody runs it and it has been told so. */
export async function* watchCampaign(
  directory: CampaignDirectory,
  name: string,
  { signal, limit }: BoardOptions & { readonly signal: AbortSignal },
): AsyncGenerator<string, void, undefined> {
  const live = createLivePhases();
  let open: OpenCampaign | undefined;
  try {
    let tookBefore = 0;
    for (let before = ""; !signal.aborted;) {
      const overview = await directory.overview(name);
      if (overview.state !== "new") open ??= await openBegun(directory, name);
      const began = performance.now();
      const board = await boardOf({ directory, overview, open }, { limit, live });
      const took = performance.now() - began;
      const text = JSON.stringify(board);
      if (text !== before) yield `data: ${text}\n\n`;
      before = text;
      await systemClock.sleep(restAfter(took, tookBefore), signal);
      tookBefore = took;
    }
  } finally {
    await open?.[Symbol.asyncDispose]();
  }
}

/**
 * How long a board that is watched rests after a reading that took `tookMs`, the one before it `beforeMs` (0 where there was none), ms. The quicker counts: one that
 * was slow because the machine was busy is no long ledger, and a board must not stand still for it.
 */
export function restAfter(tookMs: number, beforeMs: number): number {
  return Math.max(BOARD_MS, 20 * Math.min(tookMs, beforeMs));
}

/** Server-sent events of one attempt: what arrived and what its runner saw, until it has ended. Throws `not-found` where there is none. */
export async function openAttempt(
  directory: CampaignDirectory,
  {
    name,
    battle,
    attempt,
    after,
    signal,
  }: { readonly name: string; readonly battle: string; readonly attempt: number; readonly after: number; readonly signal: AbortSignal },
): Promise<AsyncIterable<string>> {
  const open = await directory.open(name);
  const { ledger } = open.source;
  const find = async () => (await ledger.attemptsOf(battle)).find((one) => one.attempt === attempt);
  const found = await find().catch(() => undefined);
  if (found === undefined) {
    await open[Symbol.asyncDispose]();
    throw new IasError("not-found", `The campaign has no attempt ${attempt} of the battle ${JSON.stringify(battle.slice(0, 100))}.`);
  }
  async function* events(): AsyncGenerator<string, void, undefined> {
    await using _open = open;
    let last = after;
    yield `event: open\ndata: ${JSON.stringify({ agent: found?.subject, task: `${battle}/${attempt}`, opening: after === 0 ? "fresh" : "resume", cursor: String(after) })}\n\n`;
    while (!signal.aborted) {
      // Looked at before the stream: what was noted until the attempt's end is there when it has ended.
      const isOver = (await find())?.endedAt !== undefined;
      for await (const event of ledger.events(battle, attempt, { after: last })) {
        last = event.seq;
        yield `id: ${event.seq}\ndata: ${JSON.stringify(toEntry(event, attempt))}\n\n`;
      }
      if (isOver) {
        yield "event: end\ndata: {}\n\n";
        return;
      }
      await systemClock.sleep(STREAM_MS, signal);
    }
  }
  return events();
}

const NO_WISHES: CampaignBoard["wishes"] = { paused: false, canceled: false, cancelBattles: [], requeueBattles: [] };

interface Found {
  readonly directory: CampaignDirectory;
  readonly overview: CampaignOverview;
  readonly open: OpenCampaign | undefined;
}

async function boardOf({ directory, overview, open }: Found, options: BoardOptions): Promise<CampaignBoard> {
  if (open === undefined) return { ...overview, wishes: await wishesOf(directory, overview), battles: [], total: 0 };
  const board = await readBoard(open.source, { limit: options.limit, live: options.live ?? createLivePhases() });
  // Counted now: the runner writes its summary every few seconds.
  return { ...overview, ...board, wishes: await open.control.read() };
}

/** Of one whose ledger has nothing yet: what is wished while it begins. */
async function wishesOf(directory: CampaignDirectory, { name, runner }: CampaignOverview): Promise<CampaignBoard["wishes"]> {
  if (!runner) return NO_WISHES;
  // The runner may end at this moment.
  const control = await directory.control(name).catch(() => undefined);
  return (await control?.read()) ?? NO_WISHES;
}

/** A campaign's events in the form of a task's stream, so that the same views show them. */
function toEntry({ seq, at, event }: LedgerEvent, attempt: number): StreamEntry {
  return { seq, gen: 0, at, attempt, audience: "public", event };
}
