import { BinaryWriter } from "@bufbuild/protobuf/wire";
import { Metadata, type ServiceError } from "@grpc/grpc-js";
import { type ErrorDetail, type GrpcError, toErrorHeaders, toGrpcError } from "../errors.ts";
import { assertNever, IasError } from "../../model/errors.ts";

/** Trailing metadata that holds the serialized `google.rpc.Status` (specification 10.6). */
export const STATUS_DETAILS = "grpc-status-details-bin";

/** Room for the message (as it is percent-encoded) and for the details, bytes: C-core clients (Python, C++) refuse metadata over 8 KiB in all. */
const MAX_MESSAGE_BYTES = 1500;
const MAX_DETAILS_BYTES = 2200;

/** Anything thrown, as grpc-js sends it: code, message and binary details. Details that would not fit are left out, the first one stays. */
export function toServiceError(thrown: unknown): ServiceError {
  const error = IasError.from(thrown);
  const wire = toGrpcError(error);
  const message = shorten(wire.message);
  const metadata = new Metadata();
  metadata.set(STATUS_DETAILS, Buffer.from(encodeStatus({ ...wire, message })));
  const retryAfter = toErrorHeaders(error)["retry-after"];
  if (retryAfter !== undefined) metadata.set("retry-after", retryAfter);
  return Object.assign(new Error(message), { code: wire.code, details: message, metadata });
}

/** `google.rpc.Status` in protobuf. A detail for which there is no room is left out; of `ErrorInfo` its reason always stays. */
function encodeStatus(error: GrpcError): Uint8Array {
  const status = new BinaryWriter().uint32(field(1, VARINT)).int32(error.code).uint32(field(2, BYTES)).string(error.message);
  let room = MAX_DETAILS_BYTES;
  for (const detail of error.details) {
    let value = encodeDetail(detail);
    if (value.length > room && "reason" in detail) value = encodeDetail({ "@type": detail["@type"], reason: detail.reason, domain: detail.domain });
    if (value.length > room) continue;
    room -= value.length;
    status.uint32(field(3, BYTES)).fork().uint32(field(1, BYTES)).string(detail["@type"]).uint32(field(2, BYTES)).bytes(value).join();
  }
  return status.finish();
}

function shorten(message: string): string {
  const text = message.toWellFormed();
  if (encodeURIComponent(text).length <= MAX_MESSAGE_BYTES) return text;
  // A character takes at most 9 bytes when it is percent-encoded, a plain one takes 1.
  const short = text.slice(0, MAX_MESSAGE_BYTES - 9).toWellFormed();
  return `${encodeURIComponent(short).length <= MAX_MESSAGE_BYTES - 9 ? short : text.slice(0, Math.floor(MAX_MESSAGE_BYTES / 9) - 1).toWellFormed()}…`;
}

const VARINT = 0;
const BYTES = 2;

function field(number: number, wireType: number): number {
  return (number << 3) | wireType;
}

/** The three messages that `toErrorDetails` makes, by their protos (google/rpc/error_details.proto). */
function encodeDetail(detail: ErrorDetail): Uint8Array {
  const writer = new BinaryWriter();
  switch (detail["@type"]) {
    case "type.googleapis.com/google.rpc.ErrorInfo":
      writer.uint32(field(1, BYTES)).string(detail.reason).uint32(field(2, BYTES)).string(detail.domain);
      for (const [key, value] of Object.entries(detail.metadata ?? {}))
        writer.uint32(field(3, BYTES)).fork().uint32(field(1, BYTES)).string(key).uint32(field(2, BYTES)).string(value).join();
      return writer.finish();
    case "type.googleapis.com/google.rpc.BadRequest":
      for (const { field: name, description } of detail.fieldViolations)
        writer.uint32(field(1, BYTES)).fork().uint32(field(1, BYTES)).string(name).uint32(field(2, BYTES)).string(description).join();
      return writer.finish();
    case "type.googleapis.com/google.rpc.RetryInfo": {
      const seconds = Number.parseFloat(detail.retryDelay);
      const whole = Math.floor(seconds);
      const nanos = Math.round((seconds - whole) * 1e9);
      return writer.uint32(field(1, BYTES)).fork().uint32(field(1, VARINT)).int64(whole).uint32(field(2, VARINT)).int32(nanos).join().finish();
    }
    default:
      return assertNever(detail);
  }
}
