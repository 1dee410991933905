/** What time it is, for what is told relative to it. */
import { signal } from '@preact/signals';

/** Milliseconds since 1970. */
export const now = signal(Date.now());

export function runClock(): void {
  setInterval(() => (now.value = Date.now()), 15_000);
}
