import { useSignal } from "@preact/signals";
import type { ComponentChildren, VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import type { AgentSummary } from "../../../src/lib/model/api.ts";
import { here, paths, route } from "../router.ts";
import { askKey, keyWanted } from "../state/call.ts";
import { agentName, agents, placeOf, server, trouble } from "../state/server.ts";
import { nextTheme, theme } from "../theme/theme.ts";
import { Icon, type IconName } from "../ui/icon.tsx";
import { fileProblem } from "./open-file.ts";
import { KeyDialog } from "./key-dialog.tsx";
import { Shortcuts, useShortcuts } from "./shortcuts.tsx";
import { titleOf } from "./title.ts";

interface Place {
  readonly title: string;
  readonly short: string;
  readonly path: string;
  readonly icon: IconName;
  /** The feature of the server that it needs. */
  readonly needs?: string;
}

/** The places of the navigation, in order; `g` and the first letter of the path go there. */
const PLACES: readonly Place[] = [
  { title: "Home", short: "Home", path: paths.home, icon: "home" },
  { title: "Live lanes", short: "Lanes", path: paths.lanes, icon: "lanes" },
  { title: "Tasks", short: "Tasks", path: paths.tasks, icon: "tasks" },
  { title: "Any agent", short: "Any agent", path: paths.remotes, icon: "remote" },
  { title: "Campaigns", short: "Campaigns", path: paths.campaigns, icon: "campaigns", needs: "campaigns" },
];

/** What stands around every view: the ways to the others, and what is the matter with the server. */
export function Frame({ children }: { readonly children: ComponentChildren }): VNode {
  const main = useRef<HTMLElement>(null);
  const helping = useSignal(false);
  useShortcuts(helping);
  const { pathname } = here.value;
  const first = useRef(true);
  useEffect(() => {
    // Who hears the page, or moves by keys, is where the new view begins.
    if (!first.current && document.activeElement === document.body) main.current?.focus({ preventScroll: true });
    first.current = false;
  }, [pathname]);
  const title = titleOf(route.value, agentName);
  useEffect(() => {
    document.title = title;
  }, [title]);
  const places = PLACES.filter(({ needs }) => needs === undefined || server.value === undefined || server.value.features.includes(needs));
  return (
    <div class="frame">
      <a class="skip button primary" href="#main" onClick={() => main.current?.focus()}>
        Skip to the content
      </a>
      <aside class="side">
        <a class="brand" href="/">
          <Icon name="lanes" size={24} /> Infinite Agent Streams
        </a>
        <nav aria-label="Views">
          <Places places={places} />
        </nav>
        {agents.value !== undefined && agents.value.length > 0 && (
          <nav class="stack" aria-labelledby="agents-title">
            <h2 id="agents-title">Talk to</h2>
            <ul class="nav">
              {agents.value.map((agent) => (
                <li key={agent.id}>
                  <a href={paths.talk(agent.id)} aria-current={isTalking(agent.id) ? "page" : undefined} title={agent.remote?.url}>
                    <Icon name="talk" />
                    <AgentTitle agent={agent} />
                  </a>
                </li>
              ))}
            </ul>
          </nav>
        )}
        <div class="side-foot">
          <ThemeButton />
          <button type="button" class="quiet icon" aria-label="Keyboard shortcuts" title="Keyboard shortcuts (?)" onClick={() => (helping.value = true)}>
            <Icon name="keyboard" />
          </button>
          <span class="muted small cut-text" title="The version of the server">
            {server.value === undefined ? "" : `v${server.value.version}`}
          </span>
        </div>
      </aside>
      <main id="main" tabIndex={-1} ref={main}>
        {trouble.value !== undefined && keyWanted.value === "no" && (
          <div class="banner" role="status">
            <span class="dot" style={{ "--dot": "var(--phase-stalled)" }} /> {trouble.value}
          </div>
        )}
        {keyWanted.value === "refused" && (
          <div class="banner" role="status">
            <span class="grow">The server does not know who you are, so this page shows nothing of its agents.</span>
            <button type="button" onClick={() => void askKey({ again: true })}>
              Give a key
            </button>
          </div>
        )}
        {fileProblem.value !== undefined && (
          <div class="banner" role="alert">
            <span class="grow">{fileProblem.value}</span>
            <button type="button" class="quiet icon" aria-label="Close" onClick={() => (fileProblem.value = undefined)}>
              <Icon name="close" size={16} />
            </button>
          </div>
        )}
        {children}
      </main>
      <nav class="menu-bar" aria-label="Views, short">
        {places.map(({ short, path, icon }) => (
          <a key={path} href={path} aria-current={isHere(path) ? "page" : undefined}>
            <Icon name={icon} /> {short}
          </a>
        ))}
      </nav>
      <KeyDialog />
      <Shortcuts open={helping} />
    </div>
  );
}

function AgentTitle({ agent }: { readonly agent: AgentSummary }): VNode {
  const place = placeOf(agent);
  return (
    <span class="cut-text">
      {agent.name}
      {place !== undefined && <span class="small muted"> {place}</span>}
    </span>
  );
}

function Places({ places }: { readonly places: readonly Place[] }): VNode {
  return (
    <ul class="nav">
      {places.map(({ title, path, icon }) => (
        <li key={path}>
          <a href={path} aria-current={isHere(path) ? "page" : undefined}>
            <Icon name={icon} /> {title}
          </a>
        </li>
      ))}
    </ul>
  );
}

function isHere(path: string): boolean {
  const { page } = route.value;
  if (path === paths.home) return page === "home" && route.value.view === "overview";
  if (path === paths.lanes) return page === "home" && route.value.view === "lanes";
  return path === `/${page}` || (path === paths.tasks && page === "task");
}

function isTalking(agent: string): boolean {
  const at = route.value;
  return at.page === "talk" && at.panes.some((pane) => pane.agent === agent);
}

/** Changes the colours. */
export function ThemeButton(): VNode {
  const now = theme.value;
  const label = { system: "Colours as the system has them", light: "Light colours", dark: "Dark colours" }[now];
  return (
    <button type="button" class="quiet icon" aria-label={`${label}; change`} title={label} onClick={() => (theme.value = nextTheme(now))}>
      <Icon name={{ system: "system", light: "sun", dark: "moon" }[now] as IconName} />
    </button>
  );
}
