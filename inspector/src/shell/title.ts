import type { Route } from "../router.ts";
import { TASK_TABS } from "./task-tabs.ts";

const PRODUCT = "Infinite Agent Streams";

/** How the browser calls a view: in its tabs, in the history, and to who hears the page. `nameOf` gives an agent's name. */
export function titleOf(at: Route, nameOf: (agent: string) => string): string {
  const view = viewOf(at, nameOf);
  return view === "" ? PRODUCT : `${view} · ${PRODUCT}`;
}

function viewOf(at: Route, nameOf: (agent: string) => string): string {
  switch (at.page) {
    case "home":
      return at.view === "lanes" ? "Live lanes" : "";
    case "talk":
      return at.panes.map(({ agent }) => nameOf(agent)).join(", ");
    case "task":
      return `${(TASK_TABS.find(({ id }) => id === at.view) ?? TASK_TABS[0])?.title}: ${nameOf(at.agent)}`;
    case "tasks":
      return "Tasks";
    case "remotes":
      return "Any agent";
    case "campaigns":
      return ["Campaigns", ...at.rest.slice(0, 1)].filter((word) => word !== "").join(": ");
    case "unknown":
      return "Nothing is here";
  }
}
