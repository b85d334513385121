import { type ReadonlySignal, useSignal } from "@preact/signals";
import type { RefObject } from "preact";
import { useEffect } from "preact/hooks";

/** The inner size of an element, px. */
export interface Size {
  readonly width: number;
  readonly height: number;
}

/** The inner size of an element as it changes; `first` until it was measured. */
export function useSize(box: RefObject<HTMLElement | null>, first: Size): ReadonlySignal<Size> {
  const size = useSignal(first);
  useEffect(() => {
    const element = box.current;
    if (element === null) return;
    const observer = new ResizeObserver(() => (size.value = { width: element.clientWidth, height: element.clientHeight }));
    observer.observe(element);
    return () => observer.disconnect();
  }, [box, size]);
  return size;
}
