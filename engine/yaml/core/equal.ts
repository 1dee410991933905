/** Deep equality of two values returned by `toJS`. The order of keys is ignored; -0 and 0 differ, NaN equals itself. */
export function isEqual(a: unknown, b: unknown): boolean {
  if (Object.is(a, b)) return true;
  if (typeof a !== 'object' || typeof b !== 'object' || a === null || b === null) return false;
  if (Object.getPrototypeOf(a) !== Object.getPrototypeOf(b)) return false;
  if (Array.isArray(a) && Array.isArray(b))
    return a.length === b.length && a.every((item, index) => isEqual(item, b[index]));
  if (a instanceof Date && b instanceof Date) return Object.is(a.getTime(), b.getTime());
  if (a instanceof Uint8Array && b instanceof Uint8Array) return isEqual([...a], [...b]);
  if (a instanceof Set && b instanceof Set) return isEqual([...a], [...b]);
  if (a instanceof Map && b instanceof Map) return isEqual([...a], [...b]);
  const entries = Object.entries(a);
  const other = new Map(Object.entries(b));
  return (
    entries.length === other.size &&
    entries.every(([key, value]) => other.has(key) && isEqual(value, other.get(key)))
  );
}

/** A deep copy without shared objects: `toJS` returns the anchor's own object for each alias. */
export function unshare(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unshare);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    return value;
  const copy: Record<string, unknown> = {};
  for (const [key, item] of Object.entries(value)) {
    // Plain assignment would set the prototype where the key is __proto__.
    Object.defineProperty(copy, key, {
      value: unshare(item),
      writable: true,
      enumerable: true,
      configurable: true,
    });
  }
  return copy;
}
