import { TASK_TABS } from "./task-tabs.ts";

/** The page has been quiet for so long, ms. */
const QUIET_MS = 1500;

/**
 * Fetches what a person is likely to open next, once the page has nothing else to do: it then opens at once, and a stream's file opens also when the server has gone
 * meanwhile. Not where the person saves data. To be called once.
 */
export function warmUp(): void {
  const { connection } = navigator as { readonly connection?: { readonly saveData?: boolean } };
  if (connection?.saveData === true) return;
  const load = async (): Promise<void> => {
    try {
      await import("../state/open-stream-file.ts");
      for (const tab of TASK_TABS) await tab.load();
      await import("../ui/markdown-render.ts");
      await import("../frames/check.ts");
    } catch {
      // Then it is fetched when it is wanted.
    }
  };
  setTimeout(() => {
    if (typeof requestIdleCallback === "function") requestIdleCallback(() => void load());
    else void load();
  }, QUIET_MS);
}
