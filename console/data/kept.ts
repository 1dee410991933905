/** What this browser keeps of a person's choices. Some keep nothing. */
export function readKept(key: string): string | null {
  try {
    return localStorage.getItem(`backtrail-${key}`);
  } catch {
    return null;
  }
}

/** null: as it is without a choice. */
export function keep(key: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`backtrail-${key}`);
    else localStorage.setItem(`backtrail-${key}`, value);
  } catch {
    // It holds until the page is loaded anew.
  }
}
