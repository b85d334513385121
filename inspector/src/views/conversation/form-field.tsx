import type { VNode } from "preact";
import type { Json } from "../../../../src/lib/model/a2a.ts";
import { choicesOf, type Property, textOf } from "../../state/form.ts";

interface FieldProps {
  readonly name: string;
  readonly property: Property;
  readonly required: boolean;
  readonly disabled: boolean;
}

/** One thing that is asked: by its JSON Schema a box, a choice, several choices, or a line, with the limits that the schema sets. */
export function Field({ name, property, required, disabled }: FieldProps): VNode {
  const label = typeof property["title"] === "string" ? property["title"] : name;
  const about = typeof property["description"] === "string" ? property["description"] : undefined;
  const preset = property["default"];
  const choices = choicesOf(property);
  const common = { name, required, disabled };
  const words = (
    <span>
      {label}
      {required ? "" : " (optional)"}
    </span>
  );
  const more = about !== undefined && <span class="small">{about}</span>;
  if (property["type"] === "boolean")
    return (
      <label class="row">
        <input type="checkbox" name={name} disabled={disabled} defaultChecked={preset === true} /> {label}
      </label>
    );
  if (property["type"] === "array" && choices !== undefined) {
    const chosen = Array.isArray(preset) ? (preset as readonly Json[]) : [];
    return (
      <fieldset class="choices" disabled={disabled}>
        <legend>{words}</legend>
        {choices.map(({ value, title }) => (
          <label key={title} class="row">
            <input type="checkbox" name={name} value={textOf(value)} defaultChecked={chosen.includes(value)} /> {title}
          </label>
        ))}
        {more}
      </fieldset>
    );
  }
  return (
    <label class="field">
      {words}
      {choices !== undefined ? (
        <select {...common} defaultValue={preset === undefined ? "" : textOf(preset)}>
          {(!required || preset === undefined) && <option value="">Choose…</option>}
          {choices.map(({ value, title }) => (
            <option key={title} value={textOf(value)}>
              {title}
            </option>
          ))}
        </select>
      ) : (
        <Input {...common} property={property} defaultValue={typeof preset === "string" || typeof preset === "number" ? String(preset) : ""} />
      )}
      {more}
    </label>
  );
}

interface InputProps {
  readonly name: string;
  readonly required: boolean;
  readonly disabled: boolean;
  readonly property: Property;
  readonly defaultValue: string;
}

/** The types of inputs want to be told apart. */
function Input({ property, ...rest }: InputProps): VNode {
  const { type, format, minimum, maximum, minLength, maxLength } = property;
  if (type === "number" || type === "integer") {
    const limits = { ...(typeof minimum === "number" && { min: minimum }), ...(typeof maximum === "number" && { max: maximum }) };
    return <input {...rest} {...limits} type="number" step={type === "integer" ? 1 : "any"} />;
  }
  const limits = { ...(typeof minLength === "number" && { minLength }), ...(typeof maxLength === "number" && { maxLength }) };
  if (format === "email") return <input {...rest} {...limits} type="email" />;
  if (format === "date") return <input {...rest} type="date" />;
  // A pattern is the agent's, and could take for ever to match: it is the agent that checks it.
  if (format === "uri") return <input {...rest} {...limits} type="url" />;
  return <input {...rest} {...limits} type="text" />;
}
