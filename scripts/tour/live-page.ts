/** The part of docs/live.md that `npm run tour:live` writes: what was typed, what it ended with, and what it printed. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fence, holdPage } from './page.ts';

export interface Shot {
  /** A sentence; '' where the one before it is still meant. */
  readonly text: string;
  readonly who: string;
  readonly args: readonly string[];
  readonly exit: number;
  readonly output: string;
}

const HEAD = '## As it runs\n';

/** @throws where the page shows something else, but with `--write` */
export function holdPart(name: string, shots: readonly Shot[]): void {
  const path = fileURLToPath(new URL(`../../${name}`, import.meta.url));
  const [before = ''] = readFileSync(path, 'utf8').split(HEAD);
  const text = shots.map(shotText).join('\n');
  holdPage(
    name,
    `${before.trimEnd()}\n\n${HEAD}\n\`npm run tour:live\` writes this part, and CI holds it to what happens.\n\n${text}`,
    'npm run docs:live',
  );
}

function shotText({ text, who, args, exit, output }: Shot): string {
  const words = args.map((word) => (/^[\w/@.:=,-]+$/.test(word) ? word : `'${word}'`));
  const typed = `${who}$ backtrail ${words.join(' ')}`;
  const head = text === '' ? '' : `${text}\n\n`;
  return `${head}${fence('console', `${stable(`${typed}\n${output.trimEnd()}`)}\n[exit ${exit}]`)}`;
}

/** What is another one every time: ids, commits, times, names of pods, and where it runs. */
const PASSING: readonly RegExp[] = [
  /\b(?:rbk|dep)-[0-9A-HJKMNP-TV-Z]{26}\b/g,
  /\b[0-9a-f]{7,64}\b/g,
  /\b\d{4}-\d\d-\d\d \d\d:\d\d\b/g,
  /\b\d\d:\d\d:\d\d\b/g,
  /(?<=\bpod )[a-z0-9-]+/g,
  /(?<=\bdegraded for )[^\s.]+/g,
  /(?:\/[\w.-]+)+(?=\/config\b)/g,
  /(?<=\b127\.0\.0\.1:)\d+/g,
];

/** As wide as it was in a table. The plan is what docs/rollbacks.md shows. */
function stable(output: string): string {
  const short = output.replace(/^Rollback of [^]*?^digest \S+$/m, '[the plan]');
  const hide = (found: string, at: number, all: string) =>
    all.startsWith('  ', at + found.length) ? '…'.padEnd(found.length) : '…';
  return PASSING.reduce((text, pattern) => text.replace(pattern, hide), short).replace(/ +$/gm, '');
}
