/** One line on the terminal while a long fetch runs; none without a terminal. */
import type { Progress } from '../../engine/index.ts';
import { clean, oneLine } from './clean.ts';

/** A short fetch is not worth a line that comes and goes. */
const QUIET_MS = 800;
const DRAW_MS = 100;
const BAR = 20;

/** Gives what draws each progress; null wipes the line, as something else is printed now. */
export function progressLine(
  stream: { write(text: string): unknown; readonly columns?: number },
  now: () => number,
): (progress: Progress | null) => void {
  let began: number | null = null;
  let drawn: number | null = null;
  return (progress) => {
    if (progress === null) {
      if (drawn !== null) stream.write('\r\u001b[K');
      began = null;
      drawn = null;
      return;
    }
    const time = now();
    began ??= time;
    const isQuiet = !LATE.has(progress.phase) && time - began < QUIET_MS;
    if (isQuiet || (drawn !== null && time - drawn < DRAW_MS)) return;
    drawn = time;
    stream.write(`\r${progressText(progress).slice(0, (stream.columns ?? 80) - 1)}\u001b[K`);
  };
}

/** Gives what draws a text in the place of the one before; null wipes the line. Nothing of the text reaches the terminal but as text. */
export function waitingLine(stream: {
  write(text: string): unknown;
  readonly columns?: number;
}): (text: string | null) => void {
  return (text) => {
    const shown = text === null ? '' : `  ${clean(oneLine(text))}`;
    stream.write(`\r${shown.slice(0, (stream.columns ?? 80) - 1)}\u001b[K`);
  };
}

/** Phases that are told of only after a second. */
const LATE: ReadonlySet<Progress['phase']> = new Set(['asking', 'locked', 'history', 'working']);

/** Without a terminal: the interval in milliseconds between lines of progress. */
const NOTE_MS = 30_000;

/** Prints what is being waited for, one line per interval. */
export function progressNotes(
  stream: { write(text: string): unknown },
  now: () => number,
): (progress: Progress | null) => void {
  let since: number | null = null;
  return (progress) => {
    if (progress === null) {
      since = null;
      return;
    }
    const time = now();
    since ??= time;
    if (time - since < NOTE_MS) return;
    since = time;
    stream.write(`${progressText(progress).trim()}\n`);
  };
}

const PHASES: Readonly<Record<Progress['phase'], string>> = {
  asking: 'waiting for the remote',
  locked: 'waiting for another process that fetches',
  history: 'reading the history',
  working: 'waiting for git',
  counting: 'the remote counts objects',
  compressing: 'the remote packs objects',
  receiving: 'receiving objects',
  resolving: 'unpacking objects',
  indexing: 'indexing the history',
  rendering: 'rendering services',
  auditing: 'making rollbacks again',
};

export function progressText({ phase, percent, objects, amount }: Progress): string {
  if (phase === 'asking' || phase === 'locked' || phase === 'working')
    return `  ${PHASES[phase]}  ${amount ?? ''}`.trimEnd();
  const how = percent === null ? `${objects}` : `${bar(percent)} ${String(percent).padStart(3)} %`;
  return `  ${how}  ${PHASES[phase]}${amount === undefined ? '' : `  ${amount.replace(' | ', ', ')}`}`;
}

function bar(percent: number): string {
  const full = Math.round((percent / 100) * BAR);
  return '█'.repeat(full) + '░'.repeat(BAR - full);
}
