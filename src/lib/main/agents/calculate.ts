import { IasError } from "../../model/errors.ts";

const MAX_LENGTH = 500;
const MAX_DEPTH = 50;

const FUNCTIONS: Readonly<Record<string, (...values: readonly number[]) => number>> = {
  sqrt: (x = Number.NaN) => Math.sqrt(x),
  abs: (x = Number.NaN) => Math.abs(x),
  round: (x = Number.NaN) => Math.round(x),
  floor: (x = Number.NaN) => Math.floor(x),
  ceil: (x = Number.NaN) => Math.ceil(x),
  ln: (x = Number.NaN) => Math.log(x),
  log: (x = Number.NaN) => Math.log10(x),
  min: (...values) => Math.min(...values),
  max: (...values) => Math.max(...values),
};
const CONSTANTS: Readonly<Record<string, number>> = { pi: Math.PI, e: Math.E };

/**
 * The value of an arithmetic expression: `+ - * / % ^` (also `× ÷ **`), parentheses, decimals, `pi`, `e`, and the functions sqrt, abs,
 * round, floor, ceil, ln, log, min, max. It is parsed, never evaluated as code.
 *
 * @throws IasError `invalid-params` that says what is wrong and where.
 */
export function calculate(expression: string): number {
  if (expression.length > MAX_LENGTH) throw wrong(`it has ${expression.length} characters, and at most ${MAX_LENGTH} are read`);
  const parser = createParser(expression.replaceAll("×", "*").replaceAll("÷", "/").replaceAll("**", "^").replaceAll("−", "-"));
  const value = parser.sum(0);
  parser.end();
  if (!Number.isFinite(value)) throw wrong("its value is not a number (a division by zero, for example)");
  // 0.1 + 0.2 is 0.3 for people.
  return Number(value.toPrecision(12));
}

interface Parser {
  sum(depth: number): number;
  end(): void;
}

/** Recursive descent: a sum of products of powers of signed values. `at` is the next character to read. */
function createParser(text: string): Parser {
  let at = 0;

  const skip = (): void => {
    while (/\s/.test(text[at] ?? "")) at += 1;
  };
  const take = (...symbols: readonly string[]): string | undefined => {
    skip();
    const symbol = symbols.find((one) => text[at] === one);
    if (symbol !== undefined) at += 1;
    return symbol;
  };
  const match = (pattern: RegExp): string | undefined => {
    skip();
    const found = pattern.exec(text.slice(at))?.[0];
    if (found !== undefined) at += found.length;
    return found;
  };
  const unexpected = (): IasError => wrong(at >= text.length ? "it ends too early" : `"${text[at]}" at position ${at + 1} does not fit`);

  const sum = (depth: number): number => {
    if (depth > MAX_DEPTH) throw wrong(`it is nested more than ${MAX_DEPTH} deep`);
    let value = product(depth);
    for (let sign = take("+", "-"); sign !== undefined; sign = take("+", "-")) value += sign === "+" ? product(depth) : -product(depth);
    return value;
  };
  const product = (depth: number): number => {
    let value = signed(depth);
    for (let sign = take("*", "/", "%"); sign !== undefined; sign = take("*", "/", "%")) {
      const right = signed(depth);
      value = sign === "*" ? value * right : sign === "/" ? value / right : value % right;
    }
    return value;
  };
  const signed = (depth: number): number => {
    if (depth > MAX_DEPTH) throw wrong(`it is nested more than ${MAX_DEPTH} deep`);
    const sign = take("+", "-");
    if (sign !== undefined) return sign === "-" ? -signed(depth + 1) : signed(depth + 1);
    const base = single(depth);
    return take("^") === undefined ? base : base ** signed(depth + 1);
  };
  const single = (depth: number): number => {
    const digits = match(/^(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?/i);
    if (digits !== undefined) return Number(digits);
    if (take("(") !== undefined) return closed(sum(depth + 1));
    const name = match(/^[a-z]+/i)?.toLowerCase();
    if (name === undefined) throw unexpected();
    const constant = Object.hasOwn(CONSTANTS, name) ? CONSTANTS[name] : undefined;
    if (constant !== undefined) return constant;
    const apply = Object.hasOwn(FUNCTIONS, name) ? FUNCTIONS[name] : undefined;
    if (apply === undefined) throw wrong(`"${name}" is unknown; there are ${[...Object.keys(FUNCTIONS), ...Object.keys(CONSTANTS)].join(", ")}`);
    if (take("(") === undefined) throw wrong(`${name} needs its values in parentheses`);
    const values = [sum(depth + 1)];
    while (take(",") !== undefined) values.push(sum(depth + 1));
    return closed(apply(...values));
  };
  const closed = (value: number): number => {
    if (take(")") === undefined) throw unexpected();
    return value;
  };

  return {
    sum,
    end() {
      skip();
      if (at < text.length) throw unexpected();
    },
  };
}

function wrong(what: string): IasError {
  return new IasError("invalid-params", `This cannot be calculated: ${what}.`);
}
