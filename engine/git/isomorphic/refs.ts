import { isObjectId } from '../../model/index.ts';
import type { ObjectId } from '../../model/index.ts';
import { isBranchName } from '../refs.ts';
import type { GitFiles } from './files.ts';

/** As many symbolic refs as git follows. */
const LINK_LIMIT = 5;

/** The id that a full ref name, or HEAD, stands for; null where there is no such ref. */
export async function readRef(files: GitFiles, name: string): Promise<ObjectId | null> {
  let ref = name;
  for (let links = 0; links <= LINK_LIMIT; links += 1) {
    const text = (await files.read(ref))?.toString('utf8').trimEnd();
    if (text === undefined) return packedRef(files, ref);
    if (isObjectId(text)) return text;
    const target = /^ref:\s*(refs\/(.+))$/.exec(text);
    if (target === null || !isBranchName(target[2] ?? '')) return null;
    ref = target[1] ?? '';
  }
  return null;
}

/** `<id> <name>` a line, found without taking the file apart: it may hold tens of thousands. */
async function packedRef(files: GitFiles, ref: string): Promise<ObjectId | null> {
  const packed = await files.read('packed-refs');
  const end = packed?.indexOf(` ${ref}\n`) ?? -1;
  if (packed === null || end < 40 || (end > 40 && packed[end - 41] !== 10)) return null;
  const id = packed.toString('latin1', end - 40, end);
  return isObjectId(id) ? id : null;
}
