/**
 * RFC 7541 Appendix B, as the length in bits of each octet's code: the code is canonical (shorter codes first, then in
 * order of octets), so the lengths say it all.
 */
const LENGTHS = Uint8Array.of(
  13,
  23,
  28,
  28,
  28,
  28,
  28,
  28,
  28,
  24,
  30,
  28,
  28,
  30,
  28,
  28,
  28,
  28,
  28,
  28,
  28,
  28,
  30,
  28,
  28,
  28,
  28,
  28,
  28,
  28,
  28,
  28,
  6,
  10,
  10,
  12,
  13,
  6,
  8,
  11,
  10,
  10,
  8,
  11,
  8,
  6,
  6,
  6,
  5,
  5,
  5,
  6,
  6,
  6,
  6,
  6,
  6,
  6,
  7,
  8,
  15,
  6,
  12,
  10,
  13,
  6,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  7,
  8,
  7,
  8,
  13,
  19,
  13,
  14,
  6,
  15,
  5,
  6,
  5,
  6,
  5,
  6,
  6,
  6,
  5,
  7,
  7,
  6,
  6,
  6,
  5,
  6,
  7,
  6,
  5,
  5,
  6,
  7,
  7,
  7,
  7,
  7,
  15,
  11,
  14,
  13,
  28,
  20,
  22,
  20,
  20,
  22,
  22,
  22,
  23,
  22,
  23,
  23,
  23,
  23,
  23,
  24,
  23,
  24,
  24,
  22,
  23,
  24,
  23,
  23,
  23,
  23,
  21,
  22,
  23,
  22,
  23,
  23,
  24,
  22,
  21,
  20,
  22,
  22,
  23,
  23,
  21,
  23,
  22,
  22,
  24,
  21,
  22,
  23,
  23,
  21,
  21,
  22,
  21,
  23,
  22,
  23,
  23,
  20,
  22,
  22,
  22,
  23,
  22,
  22,
  23,
  26,
  26,
  20,
  19,
  22,
  23,
  22,
  25,
  26,
  26,
  26,
  27,
  27,
  26,
  24,
  25,
  19,
  21,
  26,
  27,
  27,
  26,
  27,
  24,
  21,
  21,
  26,
  26,
  28,
  27,
  27,
  27,
  20,
  24,
  20,
  21,
  22,
  21,
  21,
  23,
  22,
  22,
  25,
  25,
  24,
  24,
  26,
  23,
  26,
  27,
  26,
  26,
  27,
  27,
  27,
  27,
  27,
  28,
  27,
  27,
  27,
  27,
  27,
  26,
);
const EOS_LENGTH = 30;
const EOS = 256;

/** One step of four bits in the decoding tree: the next node, and the octet it completes. */
interface Tree {
  /** Node * 16 + nibble -> next node, or FAILS. */
  readonly next: Uint16Array;
  /** Node * 16 + nibble -> octet + 1 when one is completed on the way, else 0. */
  readonly octet: Uint16Array;
  /** Whether the bits since the last octet are a possible padding: at most seven ones (§5.2). */
  readonly mayEnd: Uint8Array;
}
const FAILS = 0xffff;

function codes(): { symbol: number; code: number; length: number }[] {
  const symbols = Array.from({ length: 257 }, (_, symbol) => ({
    symbol,
    length: symbol === EOS ? EOS_LENGTH : LENGTHS[symbol]!,
  })).sort((a, b) => a.length - b.length || a.symbol - b.symbol);
  let code = 0;
  let before = 0;
  return symbols.map(({ symbol, length }) => {
    code <<= length - before;
    before = length;
    return { symbol, length, code: code++ };
  });
}

interface Node {
  readonly id: number;
  readonly children: (Node | undefined)[];
  symbol: number | undefined;
  readonly depth: number;
  readonly ones: boolean;
}

function buildTree(): Tree {
  let count = 0;
  const inner: Node[] = [];
  const make = (depth: number, ones: boolean, leaf: boolean): Node => {
    const node: Node = { id: leaf ? -1 : count++, children: [], symbol: undefined, depth, ones };
    if (!leaf) inner.push(node);
    return node;
  };
  const root = make(0, true, false);
  for (const { symbol, code, length } of codes()) {
    let node = root;
    for (let bit = length - 1; bit >= 0; bit--) {
      const side = (code >>> bit) & 1;
      node = node.children[side] ??= make(node.depth + 1, node.ones && side === 1, bit === 0);
    }
    node.symbol = symbol;
  }
  const next = new Uint16Array(count * 16).fill(FAILS);
  const octet = new Uint16Array(count * 16);
  for (const node of inner) {
    for (let nibble = 0; nibble < 16; nibble++) {
      let at: Node | undefined = node;
      let found = 0;
      for (let bit = 3; bit >= 0 && at !== undefined; bit--) {
        at = at.children[(nibble >>> bit) & 1];
        if (at?.symbol === undefined) continue;
        // EOS in a string is an error (§5.2).
        if (at.symbol === EOS) at = undefined;
        else {
          found = at.symbol + 1;
          at = root;
        }
      }
      if (at === undefined) continue;
      next[node.id * 16 + nibble] = at.id;
      octet[node.id * 16 + nibble] = found;
    }
  }
  return { next, octet, mayEnd: Uint8Array.from(inner, ({ depth, ones }) => (ones && depth < 8 ? 1 : 0)) };
}

const { next: NEXT, octet: OCTET, mayEnd: MAY_END } = buildTree();

/**
 * Decodes `bytes[start, end)` into `out` from `at`, which has room for twice as many octets and more (a code is 5 bits
 * at least). Returns where it ends, or -1 for a string that no encoder makes.
 */
export function decodeHuffman(bytes: Uint8Array, start: number, end: number, out: Uint8Array, at: number): number {
  let node = 0;
  for (let from = start; from < end; from++) {
    const octet = bytes[from]!;
    let slot = node * 16 + (octet >>> 4);
    node = NEXT[slot]!;
    if (node === FAILS) return -1;
    let found = OCTET[slot]!;
    if (found !== 0) out[at++] = found - 1;
    slot = node * 16 + (octet & 15);
    node = NEXT[slot]!;
    if (node === FAILS) return -1;
    found = OCTET[slot]!;
    if (found !== 0) out[at++] = found - 1;
  }
  return MAY_END[node] === 1 ? at : -1;
}
