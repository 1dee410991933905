import { createHash } from 'node:crypto';
import type { Hasher, ObjectFormat } from '../../model/index.ts';

export function hasherOf(format: ObjectFormat): Hasher {
  const idOf = (type: string) => (bytes: Uint8Array) =>
    createHash(format).update(`${type} ${bytes.length}\0`).update(bytes).digest('hex');
  return {
    sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
    blobId: idOf('blob'),
    treeId: idOf('tree'),
  };
}
