import { IasError } from "../model/errors.ts";
import type { Credentials } from "./authenticator.ts";

/** The token of `Authorization: Bearer …`, or undefined without such a header. @throws IasError `unauthenticated` for another scheme. */
export function readBearer(request: Credentials): string | undefined {
  const header = request.header("authorization");
  if (header === undefined || header.trim() === "") return undefined;
  const match = /^\s*bearer\s+(\S+)\s*$/i.exec(header);
  if (match?.[1] === undefined) throw refused(`The Authorization header must be "Bearer <token>".`);
  return match[1];
}

/** Nobody in particular asks. */
export function missing(how: string): IasError {
  return new IasError("unauthenticated", `This server needs credentials: ${how}.`, { reason: "CREDENTIALS_MISSING" });
}

/** The credentials that came are not good. */
export function refused(message: string, cause?: unknown): IasError {
  return new IasError("unauthenticated", message, { reason: "CREDENTIALS_INVALID", ...(cause !== undefined && { cause }) });
}
