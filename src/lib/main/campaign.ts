import type { Progress, Summary } from "../campaign/progress.ts";
import { folderName } from "../cli/campaign/run.ts";
import { createCampaignParts } from "./campaign-parts.ts";

/** How `campaign` runs. */
export interface CampaignOptions {
  /** The results folder, which is the campaign's memory; `results/<name>`. */
  readonly out?: string;
  /** Stops in order: battles that run are left to the next run. */
  readonly signal?: AbortSignal;
  /** Hears how it goes; must not throw. */
  readonly onProgress?: (progress: Progress) => void;
  /** The text of tokens goes to `onProgress` too. */
  readonly verbose?: boolean;
  /** Where keys and headers are looked up that the file names; empty: nothing is read from this process. */
  readonly env?: Readonly<Record<string, string | undefined>>;
}

/**
 * Runs the campaign of a file as `ias campaign run` does, or goes on with it: `campaign("nightly.yaml")`. Gives its summary; `state` says whether its target was reached.
 * Throws `configuration` for a file that is wrong, `conflict` when the folder belongs to another configuration or process, `unavailable` when no subject is there.
 */
export async function campaign(file: string, options: CampaignOptions = {}): Promise<Summary> {
  const parts = createCampaignParts({ env: options.env ?? {}, exit: () => undefined });
  const loaded = await parts.load(file, {});
  return parts.run(loaded, {
    file,
    folder: options.out ?? `results/${folderName(loaded.campaign.name)}`,
    signal: options.signal ?? new AbortController().signal,
    verbose: options.verbose ?? false,
    onProgress: options.onProgress ?? (() => undefined),
    say: () => undefined,
  });
}
