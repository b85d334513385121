import type { Json } from "../../../src/lib/model/a2a.ts";
import type { FormSchema } from "./blocks.ts";

/** A property of a form's schema. */
export type Property = { readonly [key: string]: Json };

/** The values of a form as its schema types them; what was left empty is left out. */
export function readValues({ properties }: FormSchema, data: FormData): { readonly [key: string]: Json } {
  const values: Record<string, Json> = {};
  for (const [name, property] of Object.entries(properties)) {
    const { type } = property;
    const given = data.get(name);
    const choices = choicesOf(property);
    const valueOf = (text: string): Json => choices?.find(({ value }) => textOf(value) === text)?.value ?? text;
    if (type === "boolean") values[name] = given !== null;
    else if (type === "array" && choices !== undefined) values[name] = data.getAll(name).flatMap((one) => (typeof one === "string" ? valueOf(one) : []));
    else if (typeof given !== "string" || given === "") continue;
    else if (choices !== undefined) values[name] = valueOf(given);
    else values[name] = type === "number" || type === "integer" ? Number(given) : given;
  }
  return values;
}

/** What can be chosen: `enum` (with `enumNames`), or `oneOf`/`anyOf` of constants with titles, of the property or of its items. */
export function choicesOf(property: Property): readonly { readonly value: Json; readonly title: string }[] | undefined {
  const of = isObject(property["items"]) && property["type"] === "array" ? property["items"] : property;
  const { enum: values, enumNames: names } = of;
  if (Array.isArray(values)) {
    const titles = Array.isArray(names) ? (names as readonly Json[]) : [];
    return (values as readonly Json[]).map((value, at) => ({ value, title: typeof titles[at] === "string" ? titles[at] : textOf(value) }));
  }
  const options = [of["oneOf"], of["anyOf"]].find(Array.isArray) as readonly Json[] | undefined;
  const consts = options?.filter(isObject).filter((option) => option["const"] !== undefined);
  return consts === undefined || consts.length === 0
    ? undefined
    : consts.map(({ const: value = null, title }) => ({ value, title: typeof title === "string" ? title : textOf(value) }));
}

/** What can be chosen, as the text of its option. */
export function textOf(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function isObject(value: Json | undefined): value is Property {
  return value !== null && typeof value === "object" && !Array.isArray(value);
}
