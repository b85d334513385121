import type { Sdk, SdkModelProvider } from "../../engine/openai-agents/sdk.ts";
import type { Sleep } from "../../engine/scripted.ts";

/** What the demo agents are made of. */
export interface DemoParts {
  readonly sdk: Sdk;
  /** The real model's name and provider; absent: the scripted one. */
  readonly real: { readonly model: string; readonly modelProvider: SdkModelProvider } | undefined;
  readonly tokenMs: number;
  readonly sleep?: Sleep;
  readonly now: () => Date;
  readonly random: () => number;
}
