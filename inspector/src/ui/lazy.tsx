import { useSignal } from "@preact/signals";
import type { ComponentType, VNode } from "preact";
import { useEffect } from "preact/hooks";
import { Problem } from "./problem.tsx";
import { messageOf } from "../../../src/lib/model/errors.ts";

/** A component whose code is fetched when it is first shown. */
export function lazy<Props extends object>(load: () => Promise<ComponentType<Props>>): (props: Props) => VNode {
  let loaded: ComponentType<Props> | undefined;
  return function Lazy(props: Props) {
    const ready = useSignal(loaded !== undefined);
    const failed = useSignal<string | undefined>(undefined);
    useEffect(() => {
      if (loaded !== undefined) return;
      load().then(
        (component) => {
          loaded = component;
          ready.value = true;
        },
        (error: unknown) => {
          failed.value = messageOf(error);
        },
      );
    }, [failed, ready]);
    if (failed.value !== undefined)
      return (
        <Problem title="This part of the page could not be fetched" action={{ label: "Load the page again", run: () => location.reload() }}>
          {failed.value} The server may have been updated since the page was opened.
        </Problem>
      );
    const Loaded = loaded;
    return ready.value && Loaded !== undefined ? <Loaded {...props} /> : <div class="wait" role="status" aria-label="Loading" />;
  };
}
