/**
 * Loads a bundle together with what V8 made of it earlier, because compiling takes a third of the time of a short
 * command. `vm.Script` takes that as `cachedData`, and V8 refuses it where its own version or flags, or the length of the code, differ;
 * then, as without any, it compiles anew, and what it has compiled when the process ends is kept for the next one.
 */
import { createHash } from 'node:crypto';
import {
  closeSync,
  fstatSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import { basename, dirname, join } from 'node:path';
import { Script } from 'node:vm';
import type { Commands, runBuilt } from './run.ts';

const HASH = 32;
const hash = (data: Uint8Array) => createHash('sha256').update(data).digest();

/** What the build makes scripts of, by the beginnings of their names. */
interface Scripts {
  readonly reader: { readonly runBuilt: typeof runBuilt };
  readonly commands: Commands;
}

interface Place {
  readonly file: string;
  /** null keeps nothing. */
  readonly folder: string | null;
  /** Each keeps its own compiled functions. */
  readonly purpose: string;
}

/**
 * The exports of a script: it is a function of what a CommonJS file has, which gives them. Its name must tell its content (the build puts a hash
 * there), and it holds ASCII only.
 */
export function loadScript<Name extends keyof Scripts>(
  name: Name,
  { file, folder, purpose }: Place,
): Scripts[Name] {
  const kept = folder && join(folder, `${basename(file)}-${process.version}-${process.arch}-${purpose}`);
  const cachedData = kept ? readKept(kept) : undefined;
  const script = new Script(readFileSync(file, 'latin1'), {
    filename: file,
    ...(cachedData && { cachedData }),
  });
  if (kept && script.cachedDataRejected !== false)
    process.once('exit', () => keep(kept, script.createCachedData(), { name, file: basename(file) }));
  const module = { exports: {} };
  const exports: Scripts[Name] = script.runInThisContext()(
    module.exports,
    createRequire(file),
    module,
    file,
    dirname(file),
  );
  return exports;
}

/** Cached code is executed: it must be unmodified (V8 does not check), owned by this user, and writable by nobody else. */
function readKept(path: string): Buffer | undefined {
  try {
    const file = openSync(path, 'r');
    try {
      const { uid, mode } = fstatSync(file);
      if (process.getuid && (uid !== process.getuid() || (mode & 0o022) !== 0)) return undefined;
      const content = readFileSync(file);
      const data = content.subarray(HASH);
      return hash(data).equals(content.subarray(0, HASH)) ? data : undefined;
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

/** Removes those of the same script in other versions. A folder that cannot be written to only costs time. */
function keep(
  path: string,
  data: Buffer,
  { name, file }: { readonly name: string; readonly file: string },
): void {
  const folder = dirname(path);
  const unfinished = `${path}.${process.pid}`;
  try {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    for (const other of readdirSync(folder))
      if (other.startsWith(`${name}-`) && !other.startsWith(file))
        rmSync(join(folder, other), { force: true });
    writeFileSync(unfinished, Buffer.concat([hash(data), data]), { mode: 0o600, flag: 'wx' });
    renameSync(unfinished, path);
  } catch {
    tryRemove(unfinished);
  }
}

function tryRemove(path: string): void {
  try {
    rmSync(path, { force: true });
  } catch {
    // there is no such folder
  }
}
