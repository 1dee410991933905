/**
 * Writes the table of what is tried in docs/audit.md:
 *
 *     npm run docs:audit
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { END, START, tamperingTable } from '../test/engine/audit/tampering/table.ts';

const page = fileURLToPath(new URL('../docs/audit.md', import.meta.url));
const text = readFileSync(page, 'utf8');
const [start, end] = [text.indexOf(START), text.indexOf(END)];
if (start < 0 || end < 0) throw new Error('docs/audit.md has no place for it.');
writeFileSync(page, `${text.slice(0, start)}${tamperingTable()}${text.slice(end + END.length)}`);
