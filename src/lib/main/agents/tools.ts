import { z } from "zod";
import { calculate } from "./calculate.ts";
import type { DemoParts } from "./demo-parts.ts";
import { timeIn } from "./world-clock.ts";

/** Tells the time in a place. */
export function clockTool({ sdk, now }: DemoParts) {
  return sdk.tool({
    name: "clock",
    description: "Tells the date and time in a city or an IANA time zone.",
    parameters: z.object({ place: z.string().min(1).max(100).describe("A large city, such as Tokyo, or a zone, such as Asia/Tokyo.") }),
    execute: async ({ place }) => timeIn(place, now()),
    errorFunction,
  });
}

/** Works out arithmetic. */
export function calculatorTool({ sdk }: DemoParts) {
  return sdk.tool({
    name: "calculator",
    description: "Works out an arithmetic expression with + - * / % ^, parentheses, and sqrt, abs, round, floor, ceil, ln, log, min, max, pi, e.",
    parameters: z.object({ expression: z.string().min(1).max(500) }),
    execute: async ({ expression }) => String(calculate(expression)),
    errorFunction,
  });
}

/** These tools' errors say what is wrong and what is right, so the model gets them in full. */
function errorFunction(_context: unknown, error: unknown): string {
  return `An error occurred while running the tool. Error: ${error instanceof Error ? error.message : String(error)}`;
}
