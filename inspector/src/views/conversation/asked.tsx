import { useSignal } from "@preact/signals";
import type { VNode } from "preact";
import { useId } from "preact/hooks";
import type { Json, Part } from "../../../../src/lib/model/a2a.ts";
import type { Block, FormSchema } from "../../state/blocks.ts";
import { pretty } from "../../state/words.ts";
import { Icon } from "../../ui/icon.tsx";

/** Tool calls that wait for a person. */
export function Approvals({
  block,
  approve,
}: {
  readonly block: Block & { readonly kind: "approvals" };
  readonly approve?: (call: string, approve: boolean) => void;
}): VNode {
  const given = useSignal(new Map<string, boolean>());
  return (
    <section class="asked" aria-label="Approval needed" data-seq={block.seq}>
      {block.approvals.map(({ call, name, arguments: text }) => {
        const answer = block.answers.get(call) ?? given.value.get(call);
        const decide = (yes: boolean): void => {
          given.value = new Map(given.value).set(call, yes);
          approve?.(call, yes);
        };
        return (
          <div key={call} class="stack">
            <h3>
              Allow <code>{name}</code>?
            </h3>
            {text !== "" && <pre tabIndex={0}>{pretty(text)}</pre>}
            {answer !== undefined ? (
              <p class={answer ? "good" : "bad"}>{answer ? "Approved" : "Rejected"}</p>
            ) : block.over ? (
              <p class="muted">Not asked any more</p>
            ) : approve === undefined ? (
              <p class="muted">Waits for an answer</p>
            ) : (
              <div class="row">
                <button type="button" class="primary" onClick={() => decide(true)}>
                  <Icon name="check" size={16} /> Approve
                </button>
                <button type="button" onClick={() => decide(false)}>
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
export function Form({ block, answer }: { readonly block: Block & { readonly kind: "form" }; readonly answer?: (parts: readonly Part[]) => void }): VNode {
  const id = useId();
  const { schema, over } = block;
  const sent = useSignal(false);
  const send = (event: Event): void => {
    event.preventDefault();
    if (!(event.currentTarget instanceof HTMLFormElement)) return;
    sent.value = true;
    answer?.([{ data: readValues(schema, new FormData(event.currentTarget)) }]);
  };
  const isClosed = over || sent.value || answer === undefined;
  return (
    <form class="asked stack" onSubmit={send} aria-labelledby={id} data-seq={block.seq}>
      <h3 id={id}>{schema.title ?? "The agent asks"}</h3>
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

interface FieldProps {
  readonly name: string;
  readonly property: { readonly [key: string]: Json };
  readonly required: boolean;
  readonly disabled: boolean;
}

function Field({ name, property, required, disabled }: FieldProps): VNode {
  const label = typeof property["title"] === "string" ? property["title"] : name;
  const about = typeof property["description"] === "string" ? property["description"] : undefined;
  const preset = property["default"];
  const value = typeof preset === "string" || typeof preset === "number" ? String(preset) : "";
  const choices = property["enum"];
  const common = { name, required, disabled };
  if (property["type"] === "boolean")
    return (
      <label class="row">
        <input type="checkbox" name={name} disabled={disabled} defaultChecked={preset === true} /> {label}
      </label>
    );
  return (
    <label class="field">
      <span>
        {label}
        {required ? "" : " (optional)"}
      </span>
      {Array.isArray(choices) ? (
        <select {...common} defaultValue={value}>
          {(choices as readonly Json[]).map((choice) => {
            const words = typeof choice === "string" ? choice : JSON.stringify(choice);
            return <option key={words}>{words}</option>;
          })}
        </select>
      ) : (
        <Input {...common} type={inputType(property)} defaultValue={value} />
      )}
      {about !== undefined && <span class="small">{about}</span>}
    </label>
  );
}

type InputType = "number" | "email" | "date" | "url" | "text";

interface InputProps {
  readonly name: string;
  readonly required: boolean;
  readonly disabled: boolean;
  readonly type: InputType;
  readonly defaultValue: string;
}

/** The types of inputs want to be told apart. */
function Input({ type, ...rest }: InputProps): VNode {
  switch (type) {
    case "number":
      return <input {...rest} type="number" step="any" />;
    case "email":
      return <input {...rest} type="email" />;
    case "date":
      return <input {...rest} type="date" />;
    case "url":
      return <input {...rest} type="url" />;
    case "text":
      return <input {...rest} type="text" />;
  }
}

function inputType({ type, format }: { readonly [key: string]: Json }): InputType {
  if (type === "number" || type === "integer") return "number";
  return format === "email" ? "email" : format === "date" ? "date" : format === "uri" ? "url" : "text";
}

/** The values of a form as its schema types them; what was left empty is left out. */
export function readValues({ properties }: FormSchema, data: FormData): { readonly [key: string]: Json } {
  const values: Record<string, Json> = {};
  for (const [name, { type }] of Object.entries(properties)) {
    const given = data.get(name);
    if (type === "boolean") values[name] = given !== null;
    else if (typeof given === "string" && given !== "") values[name] = type === "number" || type === "integer" ? Number(given) : given;
  }
  return values;
}
