import { computed, type ReadonlySignal, signal } from "@preact/signals";

/** Where the page is. Every view has an address; the server gives the page at each of them. */
export type Route =
  /** `view=lanes`: the lanes of all live streams. */
  | { readonly page: "home"; readonly view: "overview" | "lanes" }
  /** Talking: agents side by side, each in a conversation of its own or in a new one. */
  | { readonly page: "talk"; readonly panes: readonly { readonly agent: string; readonly context: string | undefined }[] }
  | { readonly page: "task"; readonly agent: string; readonly task: string; readonly view: string; readonly at: number | undefined }
  | { readonly page: "tasks"; readonly query: URLSearchParams }
  | { readonly page: "remotes" }
  | { readonly page: "campaigns"; readonly rest: readonly string[]; readonly query: URLSearchParams }
  | { readonly page: "unknown"; readonly path: string };

const address = signal(new URL(location.href));

/** The present route. */
export const route: ReadonlySignal<Route> = computed(() => readRoute(address.value));

/** The present address, for views that keep more of their state in it. */
export const here: ReadonlySignal<URL> = address;

/** Goes to a path of this page. `replace` leaves no step to go back to: for positions that move. */
export function navigate(path: string, { replace = false }: { readonly replace?: boolean } = {}): void {
  const next = new URL(path, location.origin);
  if (next.href === location.href) return;
  if (replace) history.replaceState(null, "", next);
  else history.pushState(null, "", next);
  address.value = next;
  if (!replace) window.scrollTo(0, 0);
}

/** Changes parameters of the present address; undefined takes one away. */
export function setQuery(change: Readonly<Record<string, string | undefined>>, options: { readonly replace?: boolean } = { replace: true }): void {
  const next = new URL(address.peek());
  for (const [name, value] of Object.entries(change)) {
    if (value === undefined || value === "") next.searchParams.delete(name);
    else next.searchParams.set(name, value);
  }
  navigate(next.pathname + next.search, options);
}

/** Follows the browser's own steps, and takes links of this page over. To be called once. */
export function startRouter(): void {
  window.addEventListener("popstate", () => {
    address.value = new URL(location.href);
  });
  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target instanceof Element ? event.target.closest("a") : null;
    if (link === null || link.target !== "" || link.hasAttribute("download") || link.origin !== location.origin) return;
    if (readRoute(new URL(link.href)).page === "unknown" || link.getAttribute("href")?.startsWith("#") === true) return;
    event.preventDefault();
    navigate(link.pathname + link.search);
  });
}

/** What an address means. */
export function readRoute(url: URL): Route {
  const [first = "", ...rest] = url.pathname.split("/").slice(1).map(decode);
  const query = url.searchParams;
  switch (first) {
    case "":
      return { page: "home", view: query.get("view") === "lanes" ? "lanes" : "overview" };
    case "a": {
      const agents = [rest[0] ?? "", ...query.getAll("with")].filter((agent) => agent !== "");
      const contexts = query.getAll("context");
      if (agents.length === 0) break;
      return { page: "talk", panes: agents.map((agent, at) => ({ agent, context: contexts[at] === "" ? undefined : contexts[at] })) };
    }
    case "t": {
      const [agent = "", task = ""] = rest;
      if (agent === "" || task === "") break;
      const at = Number(query.get("at"));
      return { page: "task", agent, task, view: query.get("view") ?? "conversation", at: Number.isInteger(at) && at > 0 ? at : undefined };
    }
    case "tasks":
      return { page: "tasks", query };
    case "remotes":
      return { page: "remotes" };
    case "campaigns":
      return { page: "campaigns", rest, query };
    default:
  }
  return { page: "unknown", path: url.pathname };
}

/** Addresses of the views. */
export const paths = {
  home: "/",
  lanes: "/?view=lanes",
  tasks: "/tasks",
  remotes: "/remotes",
  campaigns: "/campaigns",
  talk: (agent: string, context?: string): string => `/a/${encodeURIComponent(agent)}${context === undefined ? "" : `?context=${encodeURIComponent(context)}`}`,
  talkAll(panes: readonly { readonly agent: string; readonly context: string | undefined }[]): string {
    const [first, ...others] = panes;
    if (first === undefined) return "/";
    const query = new URLSearchParams();
    for (const { agent } of others) query.append("with", agent);
    if (panes.some(({ context }) => context !== undefined)) for (const { context } of panes) query.append("context", context ?? "");
    const text = query.toString();
    return `/a/${encodeURIComponent(first.agent)}${text === "" ? "" : `?${text}`}`;
  },
  task(agent: string, task: string, options: { readonly view?: string; readonly at?: number } = {}): string {
    const query = new URLSearchParams();
    if (options.view !== undefined) query.set("view", options.view);
    if (options.at !== undefined) query.set("at", String(options.at));
    const text = query.toString();
    return `/t/${encodeURIComponent(agent)}/${encodeURIComponent(task)}${text === "" ? "" : `?${text}`}`;
  },
};

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    return segment;
  }
}
