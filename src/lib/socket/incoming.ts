/** Of each connection, what is taken however much others have under way, bytes: ordinary messages get through while somebody sends long ones slowly. */
const ALWAYS_TAKEN = 64 * 1024;

/** To so much a compressed byte can grow (the limit of deflate). */
const MAX_RATIO = 1032;

/** Watches the bytes of one connection. */
export interface Incoming {
  /** Some more have come. False: all connections together hold more than they may, and this one is to be cut off. */
  read(chunk: Uint8Array): boolean;
  /** The connection is over. */
  end(): void;
}

/**
 * Counts what connections hold of messages that are not whole, together at most `maxBytes` beside the first 64 KiB of each: whoever begins very many long
 * messages and ends none must not fill the memory. What is compressed counts as what it may become, at most `maxMessageBytes`: nothing tells how much it is.
 * Makes the counter of one connection.
 */
export function createIncoming({ maxBytes, maxMessageBytes }: { readonly maxBytes: number; readonly maxMessageBytes: number }): () => Incoming {
  let held = 0;
  const counted = (bytes: number): number => Math.max(0, bytes - ALWAYS_TAKEN);
  return () => {
    const read = createFrameReader();
    let own = 0;
    const set = (bytes: number): void => {
      held += counted(bytes) - counted(own);
      own = bytes;
    };
    return {
      read(chunk) {
        const { size, compressed } = read(chunk);
        set(compressed ? Math.min(size * MAX_RATIO, maxMessageBytes) : size);
        return counted(own) === 0 || held <= maxBytes;
      },
      end: () => set(0),
    };
  };
}

/** The message of a connection that is not whole: bytes of its payload so far. */
interface Open {
  readonly size: number;
  readonly compressed: boolean;
}

const NONE: Open = { size: 0, compressed: false };

/** Longest head of a frame (RFC 6455, 5.2): two bytes, a length of eight, a mask of four. */
const MAX_HEAD = 14;

/** Follows the frames of what a client sends, however it is cut into chunks; their content is not looked at. Returns what is open after the chunk. */
function createFrameReader(): (chunk: Uint8Array) => Open {
  const head = Buffer.alloc(MAX_HEAD);
  let filled = 0;
  let left = 0;
  let frame = { isData: false, isLast: false };
  let open = NONE;

  const begin = (): void => {
    const [first = 0, second = 0] = head;
    const isData = (first & 0x08) === 0;
    const isLast = (first & 0x80) !== 0;
    frame = { isData, isLast };
    const short = second & 0x7f;
    left = short === 126 ? head.readUInt16BE(2) : short === 127 ? Number(head.readBigUInt64BE(2)) : short;
    // The first frame of a message says whether it is compressed (RFC 7692, 6), its others have the opcode 0.
    if (isData && (first & 0x0f) !== 0) open = { size: 0, compressed: (first & 0x40) !== 0 };
  };
  const end = (): void => {
    filled = 0;
    if (frame.isData && frame.isLast) open = NONE;
  };

  return (chunk) => {
    for (let at = 0; at < chunk.length;) {
      if (filled < headLength(head, filled)) {
        head[filled] = chunk[at] ?? 0;
        filled += 1;
        at += 1;
        if (filled < headLength(head, filled)) continue;
        begin();
      } else {
        const taken = Math.min(left, chunk.length - at);
        left -= taken;
        at += taken;
        if (frame.isData) open = { ...open, size: open.size + taken };
      }
      if (left === 0) end();
    }
    return open;
  };
}

/** How long the head of a frame is, as far as its first bytes tell. */
function headLength(head: Uint8Array, filled: number): number {
  if (filled < 2) return 2;
  const second = head[1] ?? 0;
  const short = second & 0x7f;
  return 2 + (short === 126 ? 2 : short === 127 ? 8 : 0) + ((second & 0x80) === 0 ? 0 : 4);
}
