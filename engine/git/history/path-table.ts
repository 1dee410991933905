/**
 * Many paths, each once, as the bytes that git has: 360,000 of them are 30 MB as one buffer, and twice that as strings in a map. A path has its
 * place for ever; the table only grows.
 */
import { decodePath, encodePath } from '../../model/index.ts';

export class PathTable {
  #bytes: Buffer;
  #ends: Uint32Array;
  #count: number;
  /** One more than the place that is there, where there is one; made when it is first asked for. */
  #slots: Uint32Array | null = null;

  /** Takes over what it is given. */
  constructor(bytes = Buffer.alloc(0), ends = new Uint32Array(0)) {
    this.#bytes = bytes;
    this.#ends = ends;
    this.#count = ends.length;
  }

  get size(): number {
    return this.#count;
  }

  /** The columns that make it again. */
  columns(): { readonly bytes: Buffer; readonly ends: Uint32Array } {
    return {
      bytes: this.#bytes.subarray(0, this.#start(this.#count)),
      ends: this.#ends.subarray(0, this.#count),
    };
  }

  /** Its bytes, to be looked at and not kept. */
  bytesAt(place: number): Buffer {
    return this.#bytes.subarray(this.#start(place), this.#ends[place]);
  }

  at(place: number): string {
    return decodePath(this.bytesAt(place));
  }

  /** Where the path is; it is added where it is not there. */
  add(path: Buffer): number {
    if (this.#slots === null || 2 * this.#count >= this.#slots.length) this.#slots = this.#makeSlots();
    const slot = this.#slotOf(this.#slots, path);
    const known = this.#slots[slot] ?? 0;
    if (known > 0) return known - 1;
    const start = this.#start(this.#count);
    const end = start + path.length;
    if (end > this.#bytes.length) {
      const larger = Buffer.allocUnsafeSlow(grown(end));
      this.#bytes.copy(larger, 0, 0, start);
      this.#bytes = larger;
    }
    if (this.#count === this.#ends.length) {
      const larger = new Uint32Array(grown(this.#count));
      larger.set(this.#ends);
      this.#ends = larger;
    }
    path.copy(this.#bytes, start);
    this.#ends[this.#count] = end;
    this.#count += 1;
    this.#slots[slot] = this.#count;
    return this.#count - 1;
  }

  /** Negative where the path at a place comes before these bytes, 0 where it is these. */
  compare(place: number, bytes: Uint8Array): number {
    return this.#bytes.compare(bytes, 0, bytes.length, this.#start(place), this.#ends[place]);
  }

  compareTwo(one: number, other: number): number {
    const bytes = this.#bytes;
    return bytes.compare(bytes, this.#start(other), this.#ends[other], this.#start(one), this.#ends[one]);
  }

  /** `prefix`: a folder with a slash at its end, as `bytesOf` gives it. */
  startsWith(place: number, prefix: Uint8Array): boolean {
    const [start, end] = [this.#start(place), this.#ends[place] ?? 0];
    if (end - start < prefix.length) return false;
    return this.#bytes.compare(prefix, 0, prefix.length, start, start + prefix.length) === 0;
  }

  #start(place: number): number {
    return place === 0 ? 0 : (this.#ends[place - 1] ?? 0);
  }

  #makeSlots(): Uint32Array {
    const slots = new Uint32Array(2 ** Math.ceil(Math.log2(4 * Math.max(this.#count, 256))));
    for (let place = 0; place < this.#count; place += 1)
      slots[this.#slotOf(slots, this.bytesAt(place))] = place + 1;
    return slots;
  }

  /** The one that has the path, or is free for it. */
  #slotOf(slots: Uint32Array, path: Buffer): number {
    const mask = slots.length - 1;
    for (let slot = hashOf(path) & mask; ; slot = (slot + 1) & mask) {
      const known = slots[slot] ?? 0;
      if (known === 0 || this.compare(known - 1, path) === 0) return slot;
    }
  }
}

export const bytesOf = (path: string): Uint8Array => encodePath(path);

/** Room for what comes next. */
const grown = (needed: number) => Math.max(1024, Math.ceil(1.25 * needed));

/** FNV-1a, 32 bits, with the avalanche of MurmurHash3 at its end: names that differ in their last digits are spread. */
function hashOf(bytes: Uint8Array): number {
  let hash = 0x811c9dc5;
  for (const byte of bytes) hash = Math.imul(hash ^ byte, 0x01000193);
  hash = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2ae35);
  return (hash ^ (hash >>> 16)) >>> 0;
}
