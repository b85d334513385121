import { effect, signal } from "@preact/signals";

/** Light, dark, or as the system has it. */
export type Theme = "system" | "light" | "dark";

const KEY = "ias.theme";

/** The chosen theme; it is kept in this browser. */
export const theme = signal<Theme>(read());

/** Shows the chosen theme from now on. To be called once. */
export function startTheme(): void {
  effect(() => {
    const chosen = theme.value;
    if (chosen === "system") delete document.documentElement.dataset["theme"];
    else document.documentElement.dataset["theme"] = chosen;
    try {
      localStorage.setItem(KEY, chosen);
    } catch {
      // A browser that keeps nothing shows it all the same.
    }
  });
}

/** The next theme in turn. */
export function nextTheme(now: Theme): Theme {
  return now === "system" ? "dark" : now === "dark" ? "light" : "system";
}

function read(): Theme {
  try {
    const kept = localStorage.getItem(KEY);
    return kept === "light" || kept === "dark" ? kept : "system";
  } catch {
    return "system";
  }
}
