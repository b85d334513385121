/** What a connection sends: answers at once, streams in turn. */
export interface Outbox {
  /** Sends an answer. Each belongs to something that was received, and a peer that does not read is not read from, so answers are bounded. */
  say(text: string): void;
  /**
   * A stream's way out. `credit` is the bytes that it may send before more is granted; `Infinity` leaves it to the socket's room alone. `blocked` hears each time that
   * the stream waits for credit, and again at a grant that is not enough, how many bytes are missing: it is for telling the peer, who would else wait for ever.
   */
  lane(credit: number, blocked?: (missing: number) => void): Lane;
}

/**
 * One stream of a connection. Before each `send` wait for `credit` and then for `turn`: so a stream without credit holds nothing up, and of those that
 * wait for room each sends one message in turn, however fast it is (round-robin).
 */
export interface Lane {
  /** More bytes may be sent. */
  grant(bytes: number): void;
  /** Whether it may send now as far as credit goes. */
  readonly hasCredit: boolean;
  /** Undefined while there is credit, else resolves when some was granted, or at `close`. */
  credit(): Promise<void> | undefined;
  /** Undefined while there is room, else resolves when it is this lane's turn, or at `close`. A turn is used up by `send` or `close`, without anything awaited before it. */
  turn(): Promise<void> | undefined;
  /** Sends one message; its bytes go off the credit, which may fall below 0 by it. */
  send(text: string): void;
  /** Ends what waits. */
  close(): void;
}

/** The socket below: a message goes into its buffer at once, and `sent` is called each time that it has taken some of the buffer. */
export interface Pipe {
  /** Bytes that the socket has not taken yet. */
  buffered(): number;
  send(text: string): void;
  /** Stops and starts the reading of what the peer sends. */
  pause(): void;
  resume(): void;
}

/** Text of a message's entries, UTF-16 units, beside the first: what other streams of the connection wait for, and what a stream holds that nobody reads. */
export const MESSAGE_SIZE = 32 * 1024;

/** Bytes in the socket's buffer at which streams wait. More would be latency for all that comes behind, less would be more wake-ups. */
const HIGH_WATER = 128 * 1024;

/** Bytes at which the peer is not read from either: it asks for more than it takes. */
const FLOOD = 1024 * 1024;

/** An outbox over a pipe. `sent` is to be called when the pipe has taken something; it returns whether streams waited for that. */
export function createOutbox(pipe: Pipe): Outbox & { sent(): boolean } {
  /** Lanes that wait for room, in the order in which they came. */
  const line: (() => void)[] = [];
  /** A lane was told that it is its turn and has not sent yet. */
  let called = false;
  let paused = false;

  const callNext = (): void => {
    if (called || line.length === 0 || pipe.buffered() >= HIGH_WATER) return;
    called = true;
    line.shift()?.();
  };

  return {
    say(text) {
      pipe.send(text);
      if (paused || pipe.buffered() < FLOOD) return;
      paused = true;
      pipe.pause();
    },
    lane(initial, blocked) {
      let credit = initial;
      let granted: (() => void) | undefined;
      let waiting: (() => void) | undefined;
      let hasTurn = false;
      let closed = false;

      const useTurn = (): void => {
        if (!hasTurn) return;
        hasTurn = false;
        called = false;
        callNext();
      };
      return {
        grant(bytes) {
          credit += bytes;
          if (granted === undefined) return;
          if (credit <= 0) return blocked?.(1 - credit);
          granted();
          granted = undefined;
        },
        get hasCredit() {
          return credit > 0;
        },
        credit() {
          if (credit > 0 || closed) return undefined;
          blocked?.(1 - credit);
          return new Promise((resolve) => {
            granted = resolve;
          });
        },
        turn() {
          if (closed || hasTurn || (!called && line.length === 0 && pipe.buffered() < HIGH_WATER)) return undefined;
          return new Promise((resolve) => {
            waiting = (): void => {
              waiting = undefined;
              hasTurn = true;
              resolve();
            };
            line.push(waiting);
            callNext();
          });
        },
        send(text) {
          credit -= Buffer.byteLength(text);
          pipe.send(text);
          useTurn();
        },
        close() {
          closed = true;
          granted?.();
          if (waiting !== undefined) {
            line.splice(line.indexOf(waiting), 1);
            waiting();
          } else useTurn();
          hasTurn = false;
        },
      };
    },
    sent() {
      if (paused && pipe.buffered() < HIGH_WATER) {
        paused = false;
        pipe.resume();
      }
      const waited = line.length > 0;
      callNext();
      return waited;
    },
  };
}
