/** One event of a stream: its cursor where the binding has a place for it outside the event. */
export interface WireEvent {
  readonly id?: string;
  readonly event: Wire;
}

/** JSON of a server under test, with no more types than tests need. */
// oxlint-disable-next-line typescript/no-explicit-any
export type Wire = any;

/** One binding as its clients see it: operations by their names in the specification, in ProtoJSON. */
export interface BindingClient extends AsyncDisposable {
  readonly name: "jsonrpc" | "rest" | "grpc" | "websocket";
  call(operation: string, params: object, headers?: Readonly<Record<string, string>>): Promise<Wire>;
  stream(operation: string, params: object, headers?: Readonly<Record<string, string>>, signal?: AbortSignal): AsyncIterable<WireEvent>;
}

/** An error in the words of its binding: the JSON-RPC code, HTTP status or gRPC code, and what `ErrorInfo` says. */
export class WireError extends Error {
  readonly code: number;
  readonly info: Wire;
  readonly details: readonly Wire[];

  constructor(code: number, message: string, details: readonly Wire[] = []) {
    super(message);
    this.code = code;
    this.details = details;
    this.info = details.find((detail) => String(detail["@type"]).endsWith("ErrorInfo"));
  }
}
