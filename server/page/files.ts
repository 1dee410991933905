/** The files of the page, as they were built: read once, as all of them are smaller than one answer of the API may be. */
import { createHash } from 'node:crypto';
import { readdir, readFile } from 'node:fs/promises';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

export interface PageFile {
  readonly type: string;
  readonly body: Buffer;
  readonly etag: string;
  /** Made when it is first asked for. */
  zipped(): Buffer;
}

export interface Page {
  readonly index: PageFile;
  /** By name, below `/assets/`: a name has a digest of what the file holds. */
  readonly assets: ReadonlyMap<string, PageFile>;
}

/** Of the package, and of a checkout: seen from here as from the bundle in dist/cli. */
export const PAGE_FOLDER = fileURLToPath(new URL('../../dist/console/', import.meta.url));

const TYPES: Readonly<Record<string, string>> = {
  '.css': 'text/css; charset=utf-8',
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.svg': 'image/svg+xml',
};

/** null: it was not built, as in a checkout without `npm run build`. */
export async function readPage(folder: string): Promise<Page | null> {
  try {
    const names = await readdir(join(folder, 'assets'));
    const assets = names.map(
      async (name) => [name, await readPageFile(join(folder, 'assets', name))] as const,
    );
    return {
      index: await readPageFile(join(folder, 'index.html')),
      assets: new Map(await Promise.all(assets)),
    };
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

async function readPageFile(path: string): Promise<PageFile> {
  const body = await readFile(path);
  const digest = createHash('sha256').update(body).digest('base64url').slice(0, 32);
  let made: Buffer | null = null;
  return {
    type: TYPES[extname(path)] ?? 'application/octet-stream',
    body,
    etag: `"${digest}"`,
    zipped: () => (made ??= gzipSync(body, { level: 9 })),
  };
}
