/**
 * `npm run lint:package [-- FILE.tgz]`: has publint and arethetypeswrong look at what others would install: at that package, or at one
 * that it packs. Needs no network.
 */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'backtrail-pack-'));
const run = (program: string, ...args: string[]) =>
  execFileSync(program, args, { stdio: ['ignore', 'inherit', 'inherit'] });
const tool = (name: string) => join('node_modules', '.bin', name);

try {
  const packed = process.argv[2] ?? pack();
  run(tool('publint'), 'run', packed, '--strict');
  // The package is for import alone, as it says of itself.
  run(
    tool('attw'),
    packed,
    '--profile',
    'esm-only',
    '--exclude-entrypoints',
    'configuration.schema.json',
    'package.json',
  );
} finally {
  rmSync(folder, { recursive: true, force: true });
}

function pack(): string {
  // `npm pack` builds first, by the script `prepare`.
  execFileSync('npm', ['pack', '--silent', '--pack-destination', folder], {
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const [name] = readdirSync(folder).filter((file) => file.endsWith('.tgz'));
  if (name === undefined) throw new Error('npm packed nothing.');
  return join(folder, name);
}
