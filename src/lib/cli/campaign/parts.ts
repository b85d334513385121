import type { Attempt } from "../../campaign/attempt.ts";
import type { LivenessMode } from "../../campaign/campaign.ts";
import type { Control } from "../../campaign/ledger.ts";
import type { LoadedCampaign } from "../../campaign/load-campaign.ts";
import type { Progress, Summary } from "../../campaign/progress.ts";
import type { ReportSource } from "../../campaign/report/source.ts";

/** What the campaign commands stand on; wired in `main/`. */
export interface CampaignParts {
  /** Loads a campaign's file; `liveness` goes before the file's own. */
  readonly load: (path: string, options: { readonly liveness?: LivenessMode }) => Promise<LoadedCampaign>;
  /**
   * Runs it in `folder`, from wherever that stands; agents that the file starts are stopped at the end. Aborting stops in order. Throws `conflict` that names
   * what differs when the folder belongs to another configuration.
   */
  readonly run: (loaded: LoadedCampaign, options: RunOptions) => Promise<Summary>;
  /** The results folder that is meant: a folder, a campaign's name or file, or the only one there is. Throws a usage error that says what there is. */
  readonly find: (given: string | undefined) => Promise<string>;
  /** Opens a results folder for reading, beside its runner or without one. Its attempts are read once for the summary; `onAttempt` sees each of them then. */
  readonly open: (folder: string, onAttempt?: (attempt: Attempt) => void) => Promise<OpenedResults>;
  /** Writes a file as a whole: readers see the old one or the new one. */
  readonly write: (path: string, pieces: AsyncIterable<string>) => Promise<void>;
  /** Ends the process at once. */
  readonly exit: (code: number) => void;
  /** ms since the epoch. */
  readonly now: () => number;
}

/** How a campaign is run. */
export interface RunOptions {
  /** The campaign's file: modules of scorers are relative to it. */
  readonly file: string;
  readonly folder: string;
  readonly signal: AbortSignal;
  readonly verbose: boolean;
  readonly onProgress: (progress: Progress) => void;
  /** Something that is no progress, for example an agent that was started. */
  readonly say: (text: string) => void;
}

/** A results folder that is open for reading. */
export interface OpenedResults extends AsyncDisposable {
  readonly folder: string;
  readonly source: ReportSource;
  readonly control: Control;
  /** A process runs the campaign at this moment. */
  readonly hasRunner: boolean;
}
