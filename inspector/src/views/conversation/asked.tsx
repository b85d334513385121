import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useId } from "preact/hooks";
import type { Part } from "../../../../src/lib/model/a2a.ts";
import type { Block } from "../../state/blocks.ts";
import { readValues } from "../../state/form.ts";
import { pretty } from "../../state/words.ts";
import { Icon } from "../../ui/icon.tsx";
import { Field } from "./form-field.tsx";

/** Tool calls that wait for a person. */
export function Approvals({
  block,
  approve,
}: {
  readonly block: Block & { readonly kind: "approvals" };
  readonly approve?: (call: string, approve: boolean) => Promise<boolean>;
}): VNode {
  const given = useSignal(new Map<string, boolean>());
  return (
    <section class="asked" aria-label="Approval needed" data-seq={block.seq}>
      {block.approvals.map(({ call, name, arguments: text }) => {
        const answer = block.answers.get(call) ?? given.value.get(call);
        const decide = async (yes: boolean): Promise<void> => {
          given.value = new Map(given.value).set(call, yes);
          if ((await approve?.(call, yes)) !== false) return;
          // It was not taken: it is still asked.
          const others = new Map(given.peek());
          others.delete(call);
          given.value = others;
        };
        return (
          <div key={call} class="stack">
            <h2>
              Allow <code>{name}</code>?
            </h2>
            {text !== "" && <pre tabIndex={0}>{pretty(text)}</pre>}
            {answer !== undefined ? (
              <p class={answer ? "good" : "bad"}>{answer ? "Approved" : "Rejected"}</p>
            ) : block.over ? (
              <p class="muted">Not asked any more</p>
            ) : approve === undefined ? (
              <p class="muted">Waits for an answer</p>
            ) : (
              <div class="row">
                <button type="button" class="primary" onClick={() => void decide(true)}>
                  <Icon name="check" size={16} /> Approve
                </button>
                <button type="button" onClick={() => void decide(false)}>
                  <Icon name="cross" size={16} /> Reject
                </button>
              </div>
            )}
          </div>
        );
      })}
    </section>
  );
}

/** A form that an agent asks to be filled in. The answer is a data part with the values. */
export function Form({
  block,
  answer,
}: {
  readonly block: Block & { readonly kind: "form" };
  readonly answer?: (parts: readonly Part[]) => Promise<boolean>;
}): VNode {
  const id = useId();
  const { schema, over } = block;
  const sent = useSignal(false);
  const send = (event: Event): void => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    sent.value = true;
    void answer?.([{ data: readValues(schema, new FormData(event.currentTarget)) }]).then((taken) => {
      if (!taken) sent.value = false;
    });
  };
  const isClosed = over || sent.value || answer === undefined;
  return (
    <form class="asked stack" onSubmit={send} aria-labelledby={id} data-seq={block.seq}>
      <h2 id={id}>{schema.title ?? "The agent asks"}</h2>
      {schema.description !== undefined && <p class="muted">{schema.description}</p>}
      {Object.entries(schema.properties).map(([name, property]) => (
        <Field key={name} name={name} property={property} required={schema.required.includes(name)} disabled={isClosed} />
      ))}
      {isClosed ? (
        <p class="muted">{over || sent.value ? "Answered" : "Waits for an answer"}</p>
      ) : (
        <div>
          <button type="submit" class="primary">
            Send
          </button>
        </div>
      )}
    </form>
  );
}
