import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useEffect } from "preact/hooks";
import type { ReaderInfo } from "../../../src/lib/model/api.ts";
import { messageOf } from "../../../src/lib/model/errors.ts";
import { spanText } from "../lanes/scale.ts";
import type { TaskViewProps } from "../shell/task-tabs.ts";
import { callApi } from "../state/call.ts";
import { serverNow } from "../state/clock.ts";
import { Problem } from "../ui/problem.tsx";
import { readersOf, TRANSPORTS } from "./words.ts";
import "../wire/wire.css";
import "../lanes/lanes.css";

const POLL_MS = 1000;

/** The tab Readers: who is subscribed to this stream, over which transport, where they are, and how far behind. */
export function Readers({ replay }: TaskViewProps): VNode {
  const { stream } = replay;
  const readers = useSignal<readonly ReaderInfo[] | undefined>(undefined);
  const trouble = useSignal<string | undefined>(undefined);
  const askedAt = useSignal(0);
  const { task, source } = stream;
  useEffect(() => {
    if (source === "file") return;
    const left = new AbortController();
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async (): Promise<void> => {
      try {
        readers.value = readersOf(await callApi<unknown>("/api/readers", { query: { task }, signal: left.signal }));
        trouble.value = undefined;
      } catch (error) {
        if (left.signal.aborted) return;
        trouble.value = messageOf(error);
      }
      askedAt.value = serverNow();
      timer = setTimeout(() => void ask(), POLL_MS);
    };
    void ask();
    return () => {
      left.abort();
      clearTimeout(timer);
    };
  }, [task, source, readers, trouble, askedAt]);
  if (source === "file") return <p class="lanes-empty muted">A file has one reader: you.</p>;
  const all = readers.value;
  return (
    <div class="page">
      <p class="muted">
        Any number of readers follow one stream, each with a cursor of its own: a slow one is served from the log and holds up no other. Open this task in
        another window, or follow it with <code>npx ias tasks tail</code>, and it appears here.
      </p>
      {trouble.value !== undefined && <Problem title="The readers cannot be listed">{trouble.value}</Problem>}
      {all !== undefined && all.length === 0 && (
        <p class="lanes-empty muted">
          {stream.connection.value.kind === "ended" ? "The stream has ended, so nobody follows it any more." : "Nobody follows this stream just now."}
        </p>
      )}
      {all !== undefined && all.length > 0 && (
        <div class="readers card" tabIndex={0} role="region" aria-label="Readers of this stream">
          <table>
            <caption class="sr">Readers of this stream</caption>
            <thead>
              <tr>
                {["Transport", "Sees", "Since", "At entry", "Behind"].map((title) => (
                  <th key={title} scope="col">
                    {title}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {all.map(({ transport, audience, since, seq, lag }, index) => (
                <tr key={`${transport} ${since} ${index}`}>
                  <th scope="row">{TRANSPORTS[transport] ?? transport}</th>
                  <td>{audience} entries</td>
                  <td class="num">{spanText(Math.max(0, askedAt.value - since), 1000)}</td>
                  <td class="num">#{seq}</td>
                  <td class="num">{lag === 0 ? "0" : `${lag} entries`}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </div>
  );
}
