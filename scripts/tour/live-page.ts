/** The part of docs/live.md that `npm run tour:live` writes: what was typed, what it ended with, and what it printed. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { fence, holdPage, withoutPassing } from './page.ts';

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
    `${before}${HEAD}\n\`npm run tour:live\` writes this part, and CI holds it to what happens.\n\n${text}`,
    'npm run docs:live',
  );
}

function shotText({ text, who, args, exit, output }: Shot): string {
  const words = args.map((word) => (/^[\w/@.:=,-]+$/.test(word) ? word : `'${word}'`));
  const typed = `${who}$ backtrail ${words.join(' ')}`;
  const head = text === '' ? '' : `${text}\n\n`;
  return `${head}${fence('console', `${typed}\n${stable(output.trimEnd())}\n[exit ${exit}]`)}`;
}

/** Without what is another one every time: ids, times, how long something took. */
function stable(output: string): string {
  return withoutPassing(output)
    .replace(/\b[0-9a-f]{7,12}\b/g, '…')
    .replace(/\b\d{4}-\d\d-\d\d(?:[ T]\d\d:\d\d(?::\d\d)?)?(?: UTC)?/g, '…')
    .replace(/\b\d+(?:\.\d+)? ?(?:ms|s|m|h)\b(?: \d+ ?(?:s|m))?/g, '…')
    .replace(/ +$/gm, '');
}
