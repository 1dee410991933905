import { open, readFile } from 'node:fs/promises';
import { join } from 'node:path';

/** What the commit-graph of a repository holds (gitformat-commit-graph). */
export interface CommitGraph {
  readonly commits: number;
  /** Bloom filters of changed paths, in every layer: without them a history looks into every commit. */
  readonly changedPaths: boolean;
}

/** null where there is none. `common` is the git directory that linked worktrees share. */
export async function readCommitGraph(common: string): Promise<CommitGraph | null> {
  const info = join(common, 'objects/info');
  const chain = await readFile(join(info, 'commit-graphs/commit-graph-chain'), 'latin1').catch(() => '');
  const layers = chain.match(/^[0-9a-f]{40,64}$/gm) ?? [];
  // Git looks for the single file first.
  const single = await readLayer(join(info, 'commit-graph'));
  if (single !== null) return single;
  const read = await Promise.all(
    layers.map((id) => readLayer(join(info, `commit-graphs/graph-${id}.graph`))),
  );
  const found = read.filter((layer) => layer !== null);
  if (found.length === 0) return null;
  return {
    commits: found.reduce((sum, { commits }) => sum + commits, 0),
    changedPaths: found.every(({ changedPaths }) => changedPaths),
  };
}

const HEADER = 8;
const FAN_OUT = 256 * 4;

/** Header: `CGPH`, version, hash version, number of chunks, number of base graphs; then a table of chunks: name, offset. */
async function readLayer(file: string): Promise<CommitGraph | null> {
  const handle = await open(file).catch(() => null);
  if (handle === null) return null;
  try {
    const take = async (position: number, length: number) => {
      const { buffer, bytesRead } = await handle.read(Buffer.alloc(length), 0, length, position);
      return bytesRead === length ? buffer : null;
    };
    const header = await take(0, HEADER);
    if (header?.toString('latin1', 0, 4) !== 'CGPH') return null;
    const count = header.readUInt8(6);
    const table = await take(HEADER, count * 12);
    if (table === null) return null;
    const chunks = new Map(
      Array.from({ length: count }, (_, index) => [
        table.toString('latin1', index * 12, index * 12 + 4),
        Number(table.readBigUInt64BE(index * 12 + 4)),
      ]),
    );
    const last = await take((chunks.get('OIDF') ?? 0) + FAN_OUT - 4, 4);
    return { commits: last?.readUInt32BE(0) ?? 0, changedPaths: chunks.has('BIDX') };
  } finally {
    await handle.close();
  }
}
