/** Writes docs/layouts.md: `npx tsx scripts/layouts-page.ts`. A test fails where it is not what this gives. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type Shape, SHAPES } from '../engine/index.ts';

const FILE = join(resolve(import.meta.dirname, '..'), 'docs/layouts.md');
const MARK = '<!-- shapes -->\n';

/** The page with its part about shapes made anew. */
export function layoutsPage(text: string): string {
  return `${text.slice(0, text.indexOf(MARK) + MARK.length)}\n${SHAPES.map(section).join('\n')}`;
}

function section({ name, description, layout, example }: Shape): string {
  const list = (kind: 'environment' | 'service') =>
    layout[kind] === undefined
      ? []
      : [`  ${kind}:`, ...layout[kind].map((text) => `    - ${JSON.stringify(text)}`)];
  return [
    `### ${name}`,
    '',
    description,
    '',
    '```yaml',
    'version: 1',
    'layout:',
    ...list('environment'),
    ...list('service'),
    '```',
    '',
    '```text',
    ...example,
    '```',
    '',
  ].join('\n');
}

if (process.argv[1] === import.meta.filename) writeFileSync(FILE, layoutsPage(readFileSync(FILE, 'utf8')));
