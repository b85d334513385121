import type { StreamResponse } from "../model/a2a.ts";
import type { ExtensionData } from "../model/extension.ts";
import type { Attempt } from "./attempt.ts";
import type { Campaign } from "./campaign.ts";
import type { CampaignSettings } from "./settings.ts";

/**
 * The campaign's memory: one SQLite file (the log adapter), so that the same command continues after any crash. One process owns it; others read.
 * Every attempt has a stream of all that arrived from the subject, in the order of arrival, with the liveness entries of the runner between.
 */
export interface Ledger extends AsyncDisposable {
  /** The campaign that the ledger was made for, with its newest settings and its hash; undefined in a new one. */
  campaign(): Promise<({ readonly campaign: Campaign } & Created) | undefined>;
  /** Puts it into a new ledger. Throws `conflict` with both hashes when another one is there. */
  create(campaign: Campaign, hash: string): Promise<Created>;
  /** Replaces the settings (`settings.ts`) of its campaign: readers and later runs find the newest. */
  change(settings: CampaignSettings): Promise<void>;
  /** Begins an attempt: durable before anything is sent. Throws `conflict` if it is there. */
  begin(attempt: Attempt): Promise<AttemptWriter>;
  /** Opens the stream of an attempt that a dead runner left, to go on with it. */
  resume(attempt: Attempt): Promise<AttemptWriter>;
  /** All attempts in the order of their keys, in pages: memory is flat. */
  attempts(): AsyncIterable<Attempt>;
  /** All attempts of one battle, oldest first. */
  attemptsOf(battle: string): Promise<readonly Attempt[]>;
  /** What arrived in an attempt, up to now; with `after`, from there on. */
  events(battle: string, attempt: number, options?: { readonly after?: number }): AsyncIterable<LedgerEvent>;
  /** Marks the attempts of a battle that have ended as `discounted`: the battle begins anew. */
  discount(battle: string): Promise<void>;
  /** What people asked for while it runs, from another process: read by the runner, at most a second late. */
  readonly control: Control;
}

/** What a ledger says of its campaign. */
export interface Created {
  readonly hash: string;
  /** ms since the epoch. */
  readonly createdAt: number;
  /** Made once for each ledger: messages of the same campaign in another folder have other ids, so that subjects take them as new. */
  readonly nonce: string;
}

/** One thing of an attempt's stream. */
export interface LedgerEvent {
  readonly seq: number;
  /** ms since the epoch. */
  readonly at: number;
  readonly event: StreamResponse;
}

/** Writes one attempt. Appends are grouped; `save` and `end` are durable when they resolve. */
export interface AttemptWriter {
  readonly attempt: Attempt;
  /** What arrived. */
  note(event: StreamResponse): void;
  /** What the runner saw: liveness. */
  aside(data: ExtensionData): void;
  /** Resolves when there is room again; bounds memory. */
  ready(): Promise<void> | undefined;
  /** Replaces members of the attempt: its taskId, for example. */
  save(change: Partial<Attempt>): Promise<void>;
  /** Ends it: outcome and numbers, in one commit with what was noted. */
  end(change: Partial<Attempt> & Pick<Attempt, "outcome" | "endedAt">): Promise<void>;
}

/** Wishes of people, kept in the folder: they outlive both processes, and any process may wish while another one carries out. */
export interface Control {
  read(): Promise<ControlState>;
  /** Battles that are named come to those that stand there. */
  write(change: Partial<ControlState>): Promise<void>;
  /** The runner has carried out a wish. */
  done(wish: "cancel" | "requeue", battle: string): Promise<void>;
}

/** What is wished. */
export interface ControlState {
  readonly paused: boolean;
  /** The whole campaign. */
  readonly canceled: boolean;
  /** Battles to stop now, and to try again (their attempts so far do not count). */
  readonly cancelBattles: readonly string[];
  readonly requeueBattles: readonly string[];
}
