import type { Phase } from "../../../src/lib/liveness/liveness.ts";

/** What a canvas paints with: the tokens of `tokens.css` as colours that a canvas takes. */
export type ColorName = `phase-${Phase}` | "bg" | "surface" | "sunken" | "line" | "line-strong" | "text" | "muted" | "accent" | "good" | "warn" | "bad";

/** The present colours of the page. Ask again when the theme changes (`onColors`). */
export function readColors<Name extends ColorName>(names: readonly Name[]): Readonly<Record<Name, string>> {
  const probe = document.createElement("span");
  probe.hidden = true;
  document.body.append(probe);
  const style = getComputedStyle(probe);
  const colors = Object.fromEntries(
    names.map((name) => {
      probe.style.color = `var(--${name})`;
      return [name, style.color];
    }),
  ) as Record<Name, string>;
  probe.remove();
  return colors;
}

/** Calls `changed` when the colours have changed, by the person or by the system, until the returned function is called. */
export function onColors(changed: () => void): () => void {
  const system = matchMedia("(prefers-color-scheme: dark)");
  const watcher = new MutationObserver(changed);
  watcher.observe(document.documentElement, { attributeFilter: ["data-theme"] });
  system.addEventListener("change", changed);
  return () => {
    watcher.disconnect();
    system.removeEventListener("change", changed);
  };
}
