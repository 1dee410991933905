/**
 * Loaded before a program of a run (`node --import`): it ends with whoever started it, whose end closes standard input, and its clock is
 * CHAOS_CLOCK_MS ahead of this machine's, or behind.
 */
const ahead = Number(process.env.CHAOS_CLOCK_MS ?? 0);
if (ahead !== 0) {
  const now = Date.now.bind(Date);
  class ShiftedDate extends Date {
    constructor(...given) {
      if (given.length === 0) super(now() + ahead);
      else super(...given);
    }
    static now() {
      return now() + ahead;
    }
  }
  globalThis.Date = ShiftedDate;
}
for (const event of ['end', 'close', 'error'])
  process.stdin.on(event, () => process.kill(process.pid, 'SIGKILL'));
process.stdin.resume();
process.stdin.unref?.();
