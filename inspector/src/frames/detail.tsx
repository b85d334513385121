import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import type { Message } from "../../../src/lib/model/a2a.ts";
import type { StreamEntry } from "../../../src/lib/model/api.ts";
import { readExtension } from "../../../src/lib/model/extension.ts";
import { copyText } from "../state/copy.ts";
import { server } from "../state/server.ts";
import type { StreamStore } from "../state/stream.ts";
import { Icon } from "../ui/icon.tsx";
import { type CurlWish, toCurl } from "./curl.ts";
import { kindOf } from "./describe.ts";
import { sectionOf } from "./sections.ts";
import type { RuleBreak } from "./stream-rules.ts";

/** More of an entry is not shown, UTF-16 units; it is in the export. */
const MOST = 200_000;

/** One entry: what rules it breaks, what it is, and commands that fetch or send it again. */
export function FrameDetail({
  stream,
  entry,
  breaks,
  isJudged,
  onClose,
}: {
  readonly stream: StreamStore;
  readonly entry: StreamEntry;
  readonly breaks: readonly RuleBreak[];
  readonly isJudged: boolean;
  readonly onClose: () => void;
}): VNode {
  const copied = useSignal<string | undefined>(undefined);
  const copy = (text: string): void => {
    void copyText(text).then((done) => (copied.value = done ? "Copied." : `This browser lets no page copy. Here it is: ${text}`));
  };
  const json = JSON.stringify(entry, null, 2);
  const message = messageIn(entry);
  const { agent, task } = stream;
  const logId = server.value?.logId;
  const common = { origin: location.origin, agent, task, needsToken: isGuarded(), ...(logId !== undefined && { after: `${logId}.${entry.seq - 1}` }) };
  const wishes: readonly (readonly [string, CurlWish])[] =
    stream.source === "file"
      ? []
      : [
          ["Copy as curl", { kind: "entries", ...common }],
          ["as A2A", { kind: "subscribe", ...common }],
          ...(message === undefined ? [] : [["send again", { kind: "send", origin: location.origin, agent, message, needsToken: isGuarded() }] as const]),
        ];
  return (
    <section class="frame-detail" aria-label={`Entry ${entry.seq}`}>
      <div class="row">
        <h2 class="grow cut-text">
          Entry {entry.seq} <span class="muted">{kindOf(entry.event)}</span>
        </h2>
        <button type="button" class="icon quiet" aria-label="Close" onClick={onClose}>
          <Icon name="close" />
        </button>
      </div>
      <div class="facts">
        <span>for {entry.audience} readers</span>
        <time dateTime={new Date(entry.at).toISOString()}>{new Date(entry.at).toISOString().replace("T", " ")}</time>
        <span>attempt {entry.attempt}</span>
        <span>generation {entry.gen}</span>
      </div>
      {breaks.length === 0 ? (
        <p class="small muted">{isJudged ? "It breaks no rule of A2A 1.0.1." : "The rules are still to come."}</p>
      ) : (
        <ul class="frame-breaks" aria-label="Rules that it breaks">
          {breaks.map(({ section, level, rule, where, found }) => (
            <li key={`${section} ${where} ${rule}`}>
              <strong>
                {level} · <Section section={section} />
              </strong>{" "}
              {rule}.{" "}
              <span class="muted">
                {where !== "" && <code>{where}</code>} is {found}
              </span>
            </li>
          ))}
        </ul>
      )}
      <div class="row wrap">
        <button type="button" onClick={() => copy(json)}>
          <Icon name="copy" size={15} /> JSON
        </button>
        {wishes.map(([title, wish]) => (
          <button key={title} type="button" onClick={() => copy(toCurl(wish))}>
            {title}
          </button>
        ))}
        <span class="small muted wrap-any" role="status">
          {copied.value}
        </span>
      </div>
      <pre class="frame-json" tabIndex={0}>
        {json.length <= MOST ? json : `${json.slice(0, MOST)}\n… ${json.length - MOST} more characters`}
      </pre>
    </section>
  );
}

/** Where the rule stands. */
function Section({ section }: { readonly section: string }): VNode {
  const found = sectionOf(section);
  if (found === undefined) return <>{section}</>;
  return (
    <a href={found.href} target="_blank" rel="noopener noreferrer" title={found.title}>
      A2A {section}
    </a>
  );
}

/** The user's message that an entry brought. */
function messageIn({ event }: StreamEntry): Message | undefined {
  if ("task" in event) return event.task.history?.find(({ role }) => role === "ROLE_USER");
  const data = readExtension(event);
  return data?.kind === "input" ? data.message : undefined;
}

function isGuarded(): boolean {
  return server.value !== undefined && server.value.principal.user !== "anonymous";
}
