import { createHash } from 'node:crypto';
import type { Hasher } from '../model/index.ts';

export const hasher: Hasher = {
  sha256: (bytes) => createHash('sha256').update(bytes).digest('hex'),
  blobId: (bytes) => createHash('sha1').update(`blob ${bytes.length}\0`).update(bytes).digest('hex'),
};
