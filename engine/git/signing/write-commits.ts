/** Writes commits whose bytes are known, as one pack: gitformat-pack(5). */
import { createHash } from 'node:crypto';
import { promisify } from 'node:util';
import { deflate } from 'node:zlib';
import type { ObjectFormat } from '../../model/index.ts';
import type { Runner } from '../process/runner.ts';

/** As for `fastimport.unpackLimit`: more of them stay a pack. */
const LOOSE = 100;
const COMMIT = 1;

/** What they name is there already. @throws GIT_FAILED, GIT_TIMEOUT */
export async function writeCommitObjects(
  runner: Runner,
  format: ObjectFormat,
  commits: readonly Buffer[],
): Promise<void> {
  if (commits.length === 0) return;
  const into = commits.length > LOOSE ? ['index-pack', '--stdin'] : ['unpack-objects', '-q'];
  await runner.run(['-c', 'core.fsync=all', ...into], { input: await packOf(commits, format) });
}

async function packOf(commits: readonly Buffer[], format: ObjectFormat): Promise<Buffer> {
  const header = Buffer.alloc(12);
  header.write('PACK');
  header.writeUInt32BE(2, 4);
  header.writeUInt32BE(commits.length, 8);
  const entries = await Promise.all(
    commits.map(async (bytes) => Buffer.concat([entryHeader(bytes.length), await compressed(bytes)])),
  );
  const pack = Buffer.concat([header, ...entries]);
  return Buffer.concat([pack, createHash(format).update(pack).digest()]);
}

const compressed = promisify<Buffer, Buffer>(deflate);

/** The type, and the size: four bits of it, then seven a byte, the least significant first. */
function entryHeader(size: number): Buffer {
  const bytes: number[] = [];
  let current = (COMMIT << 4) | (size & 15);
  for (let rest = size >>> 4; rest > 0; rest >>>= 7) {
    bytes.push(current | 128);
    current = rest & 127;
  }
  return Buffer.from([...bytes, current]);
}
