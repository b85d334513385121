import { joinRoutes, type Route } from "../net/route.ts";
import { createAguiRoute } from "./agui.ts";
import { createAiRoute } from "./ai.ts";
import type { BridgeParts } from "./bridge-parts.ts";
import { createOpenAiRoute } from "./openai.ts";

/** All endpoints for frontends of other protocols: the same agents and streams under each. */
export function createBridges(parts: BridgeParts): Route {
  return joinRoutes(createAguiRoute(parts), createAiRoute(parts), createOpenAiRoute(parts));
}
