/** Commits as bytes, where git does not make them: git help fast-import, gitformat-signature(5). */
import { createHash } from 'node:crypto';
import type { NewCommit, ObjectFormat, ObjectId } from '../../model/index.ts';
import { peopleLines } from '../store/identity.ts';
import { requireObjectId } from '../store/object-id.ts';

/** Byte for byte what `git fast-import` makes of the same commit. */
export function commitBytes(
  commit: Omit<NewCommit, 'parent' | 'writes' | 'sign'> & {
    readonly tree: ObjectId;
    readonly parent: ObjectId;
  },
): Buffer {
  const { tree, parent, message } = commit;
  const links = `tree ${requireObjectId(tree)}\nparent ${requireObjectId(parent)}\n`;
  return Buffer.from(`${links}${peopleLines(commit)}\n${message}`);
}

const signatureHeader = (format: ObjectFormat) => (format === 'sha256' ? 'gpgsig-sha256' : 'gpgsig');

/** The signature of these bytes as their last header, where `git verify-commit` takes it from. */
export function withSignature(bytes: Buffer, signature: string, format: ObjectFormat): Buffer {
  const end = bytes.indexOf('\n\n') + 1;
  const lines = signature.trimEnd().split('\n').join('\n ');
  const header = Buffer.from(`${signatureHeader(format)} ${lines}\n`);
  return Buffer.concat([bytes.subarray(0, end), header, bytes.subarray(end)]);
}

export function commitId(bytes: Uint8Array, format: ObjectFormat): ObjectId {
  return createHash(format).update(`commit ${bytes.length}\0`).update(bytes).digest('hex');
}
