import { createHash } from 'node:crypto';
import type { Hasher, ObjectFormat } from '../../model/index.ts';

export const hasherOf = (format: ObjectFormat): Hasher => ({
  sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
  blobId: (bytes) => createHash(format).update(`blob ${bytes.length}\0`).update(bytes).digest('hex'),
});
