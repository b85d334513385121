import { useEffect, useRef } from "preact/hooks";
import { pan, type Scale, zoom } from "./scale.ts";

/** What a plot does with what a hand does. */
export interface Gestures {
  readonly target: { readonly current: HTMLCanvasElement | null };
  readonly view: () => Scale;
  readonly change: (scale: Scale) => void;
  readonly hover: (event: PointerEvent | undefined) => void;
  readonly press: (event: PointerEvent) => void;
}

/** Drag moves, two fingers and Ctrl with the wheel zoom, a sideways wheel moves, a click picks. */
export function useGestures(given: Gestures): void {
  const latest = useRef(given);
  latest.current = given;
  useEffect(() => {
    const { target } = latest.current;
    const canvas = target.current;
    if (canvas === null) return;
    const fingers = new Map<number, { readonly x: number; readonly startX: number; readonly startY: number }>();
    let moved = false;
    const left = (): number => canvas.getBoundingClientRect().left;
    const down = (event: PointerEvent): void => {
      if (event.button !== 0) return;
      moved = false;
      fingers.set(event.pointerId, { x: event.clientX, startX: event.clientX, startY: event.clientY });
    };
    const move = (event: PointerEvent): void => {
      const { view, change, hover } = latest.current;
      const finger = fingers.get(event.pointerId);
      if (finger === undefined) return hover(event);
      const by = event.clientX - finger.x;
      if (!moved && Math.abs(event.clientX - finger.startX) < 4) return;
      if (!moved) canvas.setPointerCapture(event.pointerId);
      moved = true;
      hover(undefined);
      const other = [...fingers.entries()].find(([id]) => id !== event.pointerId)?.[1];
      if (other === undefined) change(pan(view(), by));
      else {
        const before = Math.max(20, Math.abs(finger.x - other.x));
        const after = Math.max(20, Math.abs(event.clientX - other.x));
        change(zoom(view(), other.x - left(), after / before));
      }
      fingers.set(event.pointerId, { ...finger, x: event.clientX });
    };
    const up = (event: PointerEvent): void => {
      if (!fingers.delete(event.pointerId)) return;
      if (!moved && event.type === "pointerup") latest.current.press(event);
    };
    // A finger leaves with every tap: what it found stays.
    const leave = (event: PointerEvent): void => void (event.pointerType === "mouse" && latest.current.hover(undefined));
    const wheel = (event: WheelEvent): void => {
      const { view, change } = latest.current;
      if (event.ctrlKey || event.metaKey) change(zoom(view(), event.clientX - left(), Math.exp(-event.deltaY / 200)));
      else if (event.shiftKey || Math.abs(event.deltaX) > Math.abs(event.deltaY))
        change(pan(view(), -(event.shiftKey && event.deltaX === 0 ? event.deltaY : event.deltaX)));
      else return;
      event.preventDefault();
    };
    canvas.addEventListener("pointerdown", down);
    canvas.addEventListener("pointermove", move);
    canvas.addEventListener("pointerup", up);
    canvas.addEventListener("pointercancel", up);
    canvas.addEventListener("pointerleave", leave);
    canvas.addEventListener("wheel", wheel, { passive: false });
    return () => {
      canvas.removeEventListener("pointerdown", down);
      canvas.removeEventListener("pointermove", move);
      canvas.removeEventListener("pointerup", up);
      canvas.removeEventListener("pointercancel", up);
      canvas.removeEventListener("pointerleave", leave);
      canvas.removeEventListener("wheel", wheel);
    };
  }, []);
}
