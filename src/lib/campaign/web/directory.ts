import type { CampaignOverview } from "../../model/api.ts";
import type { Control } from "../ledger.ts";
import type { ReportSource } from "../report/source.ts";

/**
 * The campaigns of this machine, as operators see them in the browser: files in one folder that may be started by name, and the results of all that were run
 * here, by whomever. Nothing else can be started: a campaign's file names programs to run.
 */
export interface CampaignDirectory extends AsyncDisposable {
  /** In the order of their names. */
  list(): Promise<readonly CampaignOverview[]>;
  /** One of them. Throws `not-found`. */
  overview(name: string): Promise<CampaignOverview>;
  /** The ledger of one that was begun, for reading. Throws `not-found`. */
  open(name: string): Promise<OpenCampaign>;
  /** What people wish of one that was begun, or that a runner is just beginning: it obeys before its first battle. Throws `not-found`. */
  control(name: string): Promise<Control>;
  /**
   * Starts it, or goes on with it, in a process of its own, which ends in order with this one. Takes back a pause and a cancel of the whole campaign, and has
   * what that cancel ended tried again. Resolves when `open` finds it, or its agents take long to start. Throws `not-found` where no file of this name stands in the
   * folder, `conflict` where it runs already, `configuration` where its file is not right.
   */
  start(name: string): Promise<void>;
}

/** A campaign's results, open for reading beside its runner or without one. */
export interface OpenCampaign extends AsyncDisposable {
  readonly source: ReportSource;
  readonly control: Control;
  /** A process runs the campaign at this moment. */
  readonly hasRunner: boolean;
}
