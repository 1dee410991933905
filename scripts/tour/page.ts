/** A page that a tour writes: what was asked, and what was answered. Ids, times and the like are another every time, and stand as `…`. */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { claim } from './run.ts';
import type { Shown } from './step.ts';

/** With `--write` the page is written anew; otherwise it has to be as it is. `name`: `docs/api.md`. */
export function holdPage(name: string, text: string, command: string): void {
  const path = fileURLToPath(new URL(`../../${name}`, import.meta.url));
  if (process.argv.includes('--write')) writeFileSync(path, text);
  else claim(readFileSync(path, 'utf8') === text, `${name} shows other calls or answers: ${command}`);
}

export const fence = (language: string, code: string): string => `\`\`\`${language}\n${code}\n\`\`\`\n`;

/** The answer of a step. */
export function answerOf({ status, answer }: Pick<Shown, 'status' | 'answer'>): string {
  const isText = typeof answer === 'string';
  const text = isText ? answer : JSON.stringify(answer, null, 2);
  const head = status === 200 && isText ? '' : `// ${status}\n`;
  return fence(isText ? '' : 'json', `${head}${withoutPassing(text)}`);
}

/** Without what is another one every time. */
export function withoutPassing(text: string): string {
  return text
    .replace(/\b(rbk|dep|bgs|evt)-[0-9A-HJKMNP-TV-Z]{26}\b/g, '$1-…')
    .replace(/file:\/\/\S+?\/config\.git/g, 'file://…/config.git')
    .replace(/"by":"[a-z0-9]{16}"/g, '"by":"…"')
    .replace(/sha256:[0-9a-f]{64}/g, 'sha256:…')
    .replace(/\b[0-9a-f]{40}(?:[0-9a-f]{24})?\b/g, '…')
    .replace(/\b[0-9a-f]{7,10}(?=\)| of\b)/g, '…')
    .replace(/\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g, '…');
}
