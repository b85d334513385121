import { chromium } from "./engines/chromium.ts";
import { llama } from "./engines/llama.ts";
import { node22, node24 } from "./engines/node.ts";
import { pythonA2a035 } from "./engines/python-a2a-0.3.5.ts";
import { pythonA2a03 } from "./engines/python-a2a-0.3.ts";
import { pythonA2a1 } from "./engines/python-a2a-1.ts";

/** Every engine that a test may ask for, by name, in the order in which they are installed. */
export const engines = {
  "node-22": node22,
  "node-24": node24,
  "python-a2a-1": pythonA2a1,
  "python-a2a-0.3": pythonA2a03,
  "python-a2a-0.3.5": pythonA2a035,
  llama,
  chromium,
} as const;

export type EngineName = keyof typeof engines;

/** Where the programs and files of the engine `N` are: absolute paths by place. */
export type EnginePlaces<N extends EngineName> = NonNullable<ReturnType<(typeof engines)[N]["find"]>>;
