import { readFileSync } from "node:fs";
import type { Agent } from "../engine/agent.ts";
import { EXTENSION_URI } from "../model/entry.ts";
import { methodNotAllowed, type Page } from "../net/page.ts";

const FILES = {
  "/": ["index.html", "text/html; charset=utf-8"],
  "/assets/try.css": ["try.css", "text/css; charset=utf-8"],
  "/assets/try.js": ["try.js", "text/javascript; charset=utf-8"],
} as const;

/** Nothing but this server's own files runs, and nobody may frame the page. */
const HEADERS = {
  "content-security-policy":
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  "referrer-policy": "no-referrer",
  "cache-control": "no-cache",
};

/** The page at `/`: pick an agent, talk to it, watch tokens arrive, cut the wire. */
export function createTryPage(agents: ReadonlyMap<string, Agent>): Page {
  const facts = {
    extension: EXTENSION_URI,
    agents: [...agents.values()].map(({ id, name, description, skills }) => ({
      id,
      name,
      description,
      examples: skills.flatMap((skill) => skill.examples ?? []).slice(0, 6),
    })),
  };
  // `<` never ends the script element that carries the facts.
  const json = JSON.stringify(facts).replaceAll("<", "\\u003c");
  const bodies = new Map(
    Object.entries(FILES).map(([path, [file]]) => [path, readFileSync(new URL(`./try/${file}`, import.meta.url), "utf8").replace("{{facts}}", () => json)]),
  );
  return async ({ method, url }) => {
    const body = bodies.get(url.pathname);
    if (body === undefined) return undefined;
    if (method !== "GET" && method !== "HEAD") return methodNotAllowed("GET, HEAD");
    return { status: 200, headers: { ...HEADERS, "content-type": FILES[url.pathname as keyof typeof FILES][1] }, body };
  };
}
