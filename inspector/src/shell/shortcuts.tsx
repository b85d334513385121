import type { Signal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect, useRef } from "preact/hooks";
import { navigate, paths, route, setQuery } from "../router.ts";
import { TASK_TABS } from "./task-tabs.ts";

const PLACES: Readonly<Record<string, readonly [string, string]>> = {
  h: [paths.home, "home"],
  l: [paths.lanes, "live lanes"],
  t: [paths.tasks, "tasks"],
  a: [paths.remotes, "any agent"],
  c: [paths.campaigns, "campaigns"],
};

/** Whether a key press belongs to what is being written. */
export function isWriting(event: KeyboardEvent): boolean {
  const { target } = event;
  if (event.ctrlKey || event.metaKey || event.altKey) return true;
  return target instanceof HTMLElement && (target.isContentEditable || /^(?:INPUT|TEXTAREA|SELECT)$/.test(target.tagName) || target.closest("dialog") !== null);
}

/** The keys of the whole page, while it is shown. */
export function useShortcuts(helping: Signal<boolean>): void {
  useEffect(() => {
    let going = 0;
    const press = (event: KeyboardEvent): void => {
      if (event.defaultPrevented || isWriting(event)) return;
      if (event.key === "?") helping.value = true;
      else if (event.key === "g") going = event.timeStamp;
      else if (event.key === "/") focusOn("[data-search], [data-composer]");
      else if (going !== 0 && event.timeStamp - going < 1500 && PLACES[event.key] !== undefined) {
        going = 0;
        navigate(PLACES[event.key]?.[0] ?? "/");
      } else if (route.peek().page === "task") {
        const tab = TASK_TABS.find(({ key }) => key === event.key);
        if (tab === undefined) return;
        setQuery({ view: tab.id }, { replace: false });
      } else return;
      event.preventDefault();
    };
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, [helping]);
}

function focusOn(selector: string): void {
  const found = document.querySelector(selector);
  if (found instanceof HTMLElement) found.focus();
}

/** The list of keys. */
export function Shortcuts({ open }: { readonly open: Signal<boolean> }): VNode {
  const dialog = useRef<HTMLDialogElement>(null);
  const isOpen = open.value;
  useEffect(() => {
    if (isOpen) dialog.current?.showModal();
    else dialog.current?.close();
  }, [isOpen]);
  return (
    <dialog ref={dialog} aria-labelledby="keys-title" onClose={() => (open.value = false)}>
      <div class="stack">
        <h2 id="keys-title">Keyboard shortcuts</h2>
        <dl class="shortcuts">
          {Object.entries(PLACES).map(([key, [, place]]) => (
            <Keys key={key} keys={["g", key]} does={`go to ${place}`} />
          ))}
          {TASK_TABS.map(({ key, title }) => (
            <Keys key={key} keys={[key]} does={`${title} of a task`} />
          ))}
          <Keys keys={["Space"]} does="replay a task's stream, or stand still" />
          <Keys keys={[",", "."]} does="an entry back, an entry on" />
          <Keys keys={["/"]} does="search, or write a message" />
          <Keys keys={["Enter"]} does="send; Shift+Enter begins a line" />
          <Keys keys={["+", "−"]} does="zoom the lanes; arrows move, f follows, Home shows all" />
          <Keys keys={["?"]} does="this list" />
        </dl>
        <form method="dialog">
          <button type="submit" class="primary">
            Close
          </button>
        </form>
      </div>
    </dialog>
  );
}

function Keys({ keys, does }: { readonly keys: readonly string[]; readonly does: string }): VNode {
  return (
    <>
      <dt>
        {keys.map((key) => (
          <span key={key}>
            <kbd>{key}</kbd>{" "}
          </span>
        ))}
      </dt>
      <dd>{does}</dd>
    </>
  );
}
