import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { Replayed } from "../replay/replayed.tsx";
import type { ReplaySession } from "../replay/session.ts";
import { hrefOfView } from "../replay/use-replay.ts";
import { lazy } from "../ui/lazy.tsx";
import { Problem } from "../ui/problem.tsx";
import { TASK_TABS, type TaskTab, type TaskViewProps } from "./task-tabs.ts";

const VIEWS = new Map(TASK_TABS.map((tab) => [tab.id, lazy<TaskViewProps>(tab.load)]));

/** The tab that an address asks for; the first where it asks for none of these. */
export function tabOf(tabs: readonly TaskTab[], view: string): TaskTab | undefined {
  return tabs.find(({ id }) => id === view) ?? tabs[0];
}

/** A stream in one of several views: the tabs, and below them the chosen one, or why there is nothing to see. */
export function StreamViews({
  tabs,
  view,
  replay,
  of,
  hasKeys = false,
}: {
  readonly tabs: readonly TaskTab[];
  readonly view: string;
  readonly replay: ReplaySession;
  /** What the stream is of: "task". */
  readonly of: string;
  /** Whether the tabs' keys open them here. */
  readonly hasKeys?: boolean;
}): VNode {
  const connection = replay.stream.connection.value;
  const tab = tabOf(tabs, view);
  const Shown = tab === undefined ? undefined : VIEWS.get(tab.id);
  const links = useRef<HTMLElement>(null);
  useEffect(() => {
    // On a phone the tabs are wider than the page: the chosen one is in sight.
    const chosen = links.current?.querySelector<HTMLElement>("[aria-current]");
    if (links.current !== null && chosen) links.current.scrollLeft = chosen.offsetLeft - (links.current.clientWidth - chosen.offsetWidth) / 2;
  }, [tab]);
  return (
    <>
      <nav class="tabs" aria-label={`Views of this ${of}`} ref={links}>
        {tabs.map(({ id, title, key }) => (
          <a key={id} href={hrefOfView(id)} aria-current={id === tab?.id ? "page" : undefined} title={hasKeys ? `Key ${key}` : undefined}>
            {title}
          </a>
        ))}
      </nav>
      {connection.kind === "failed" ? (
        <div class="page">
          <Problem title={`This ${of} cannot be shown`}>{connection.why}</Problem>
        </div>
      ) : (
        tab !== undefined && Shown !== undefined && <Replayed tab={tab} view={Shown} replay={replay} />
      )}
    </>
  );
}
