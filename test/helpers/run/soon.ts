/**
 * Milliseconds. Far above what a loaded machine takes, and far below what the mistake would: to wait for ever, or for
 * hours. A test compares a time with nothing shorter.
 */
export const SOON = 120_000;

/** Processor seconds that this process has used: unlike the time of the day, no other process adds to them. */
export function cpuSeconds(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1e6;
}
