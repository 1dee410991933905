import { StringDecoder } from 'node:string_decoder';
import type { Progress } from '../../model/index.ts';

type Tell = ((progress: Progress | null) => void) | undefined;

/** After so many milliseconds whoever waits is told why, and once more each time. */
const TELL_MS = 1_000;

const PHASES: Readonly<Record<string, Progress['phase']>> = {
  'Enumerating objects': 'counting',
  'Counting objects': 'counting',
  'Compressing objects': 'compressing',
  'Receiving objects': 'receiving',
  'Unpacking objects': 'receiving',
  'Resolving deltas': 'resolving',
  'Expanding reachable commits in commit graph': 'indexing',
  'Computing commit changed paths Bloom filters': 'indexing',
};

/** Longer lines are no progress of git. */
const LINE_LIMIT = 300;

/**
 * Reads git's `--progress` lines as they come in pieces: `Receiving objects:  45% (9/20), 1.2 MiB | 3.4 MiB/s`, each ended
 * by a carriage return. Anything else, also what a server makes up, is ignored.
 */
export function progressReader(tell: (progress: Progress) => void): (chunk: Uint8Array) => void {
  const decoder = new StringDecoder('utf8');
  let rest = '';
  return (chunk) => {
    const lines = (rest + decoder.write(Buffer.from(chunk))).split(/[\r\n]/);
    rest = (lines.pop() ?? '').slice(0, LINE_LIMIT);
    for (const line of lines) {
      const progress = parseProgress(line);
      if (progress !== null) tell(progress);
    }
  };
}

export function parseProgress(line: string): Progress | null {
  const match =
    /^(?:remote: )?([A-Z][A-Za-z ]{1,60}): +(?:(\d{1,3})% \((\d{1,12})\/\d{1,12}\)|(\d{1,12}))(?:, (\d[\d.]* \w{1,5}(?: \| \d[\d.]* \w{1,5}\/s)?))?(?:, done\.?)?\s*$/.exec(
      line,
    );
  const [, name = '', percent, done, counted, amount] = match ?? [];
  const phase = Object.hasOwn(PHASES, name) ? PHASES[name] : undefined;
  if (phase === undefined) return null;
  return {
    phase,
    percent: percent === undefined ? null : Math.min(100, Number(percent)),
    objects: Number(done ?? counted),
    ...(amount !== undefined && { amount }),
  };
}

/** Milliseconds. As `performance.now()`, which loads a dozen modules of Node. */
const now = () => process.uptime() * 1000;

/** Reports every second that it waits, until other progress is reported or `use` has ended. */
export async function telling<Value>(
  phase: 'asking' | 'locked' | 'working',
  tell: Tell,
  use: (onProgress: Tell) => Promise<Value>,
): Promise<Value> {
  if (tell === undefined) return use(undefined);
  const began = now();
  const tick = setInterval(() => {
    const seconds = Math.round((now() - began) / 1000);
    tell({ phase, percent: null, objects: 0, amount: `${seconds} s` });
  }, TELL_MS);
  tick.unref();
  try {
    return await use((progress) => {
      clearInterval(tick);
      tell(progress);
    });
  } finally {
    clearInterval(tick);
  }
}

/** Gives what tells how many of `total` are done, at most once in a second, and nothing within the first one. */
export function counting(tell: Tell, total: number): (done: number) => void {
  let told = now();
  return (done) => {
    if (tell === undefined || now() - told < TELL_MS) return;
    told = now();
    tell({ phase: 'history', percent: Math.min(100, Math.floor((100 * done) / total)), objects: done });
  };
}
