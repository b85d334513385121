import type { Campaign, Subject } from "./campaign.ts";

/** How a campaign is run, not what is asked or how it is judged: it may change between two runs of a folder, and the newest counts. */
export interface CampaignSettings extends Pick<
  Campaign,
  "target" | "concurrency" | "retries" | "liveness" | "thresholds" | "timeout" | "metricsIntervalMs" | "passThreshold"
> {
  /** As many as the campaign has, with the same ids: how each is reached and watched. */
  readonly subjects: readonly Subject[];
}

/** The settings of a campaign. */
export function settingsOf(campaign: Campaign): CampaignSettings {
  const { target, concurrency, retries, liveness, thresholds, timeout, metricsIntervalMs, passThreshold, subjects } = campaign;
  return {
    concurrency,
    retries,
    liveness,
    thresholds,
    timeout,
    metricsIntervalMs,
    subjects,
    ...(target !== undefined && { target }),
    ...(passThreshold !== undefined && { passThreshold }),
  };
}

/** What names a campaign: all that is no setting. Whether there is a target belongs to it, how high it is does not. */
export function fixedOf(campaign: Campaign): object {
  const { name, items, green, repeat, seed, maxAnswerLength, subjects, target } = campaign;
  return {
    name,
    items,
    green,
    repeat,
    ...(seed !== undefined && { seed }),
    maxAnswerLength,
    subjects: subjects.map(({ id }) => ({ id })),
    ...(target !== undefined && { target: "some" }),
  };
}

/** `campaign` with other settings. */
export function withSettings(campaign: Campaign, settings: CampaignSettings): Campaign {
  const { target: _target, passThreshold: _passThreshold, ...rest } = campaign;
  return { ...rest, ...settings };
}
