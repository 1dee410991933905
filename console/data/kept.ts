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

/** What was read or written, when somebody signs out: others who use this browser see none of it. How it looks and its keys stay. */
export function forget(): void {
  keep('seen', null);
  try {
    sessionStorage.clear();
  } catch {
    // Nothing was kept.
  }
}
