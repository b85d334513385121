import { type ReadonlySignal, signal } from "@preact/signals";
import type { CampaignBoard } from "../../../../src/lib/model/api.ts";
import { messageOf } from "../../../../src/lib/model/errors.ts";
import { callApi } from "../../state/call.ts";

/** A campaign's board, as it changes. Whoever made it closes it. */
export interface FollowedBoard {
  /** Undefined before the first answer. */
  readonly board: ReadonlySignal<CampaignBoard | undefined>;
  /** Why it cannot be followed just now; what is shown is then as it was. */
  readonly lost: ReadonlySignal<string | undefined>;
  close(): void;
}

/** After this a board that is lost is asked for again, ms. */
const AGAIN_MS = 2000;

/** Follows a board by the browser's own EventSource. Where that gives up, a call is made, which says in words what is wrong, and asks for a key. */
export function followBoard(name: string): FollowedBoard {
  const path = `/api/campaigns/${encodeURIComponent(name)}`;
  const board = signal<CampaignBoard | undefined>(undefined);
  const lost = signal<string | undefined>(undefined);
  const over = new AbortController();
  let source: EventSource | undefined;
  let timer: ReturnType<typeof setTimeout> | undefined;

  const begin = async (): Promise<void> => {
    try {
      board.value = await callApi<CampaignBoard>(path, { signal: over.signal });
      if (over.signal.aborted) return;
      lost.value = undefined;
      follow();
    } catch (error) {
      if (over.signal.aborted) return;
      lost.value = messageOf(error);
      timer = setTimeout(() => void begin(), AGAIN_MS);
    }
  };
  const follow = (): void => {
    const opened = new EventSource(`${path}/events`);
    source = opened;
    opened.onopen = () => (lost.value = undefined);
    opened.onmessage = ({ data }: MessageEvent<string>) => {
      board.value = JSON.parse(data) as CampaignBoard;
    };
    opened.onerror = () => {
      lost.value = "The connection was lost; it is tried again by itself.";
      if (opened.readyState !== EventSource.CLOSED) return;
      timer = setTimeout(() => void begin(), AGAIN_MS);
    };
  };
  void begin();
  return {
    board,
    lost,
    close() {
      over.abort();
      clearTimeout(timer);
      source?.close();
    },
  };
}
