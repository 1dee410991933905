import { isObjectId } from '../../model/index.ts';
import type { ObjectId } from '../../model/index.ts';
import { isBranchName } from '../store/refs.ts';
import type { GitFiles } from './files.ts';
import type { IsomorphicObjects } from './objects.ts';

/** git follows as many symbolic refs, by measurement. */
const LINK_LIMIT = 5;

/** The id that a full ref name, or HEAD, resolves to; null where there is no such ref. */
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

/** The commits that a tag and a branch of this name are at, tags peeled; null where there is none. */
export async function readNamed(
  files: GitFiles,
  objects: IsomorphicObjects,
  name: string,
): Promise<{ tag: ObjectId | null; branch: ObjectId | null }> {
  if (!isBranchName(name)) return { tag: null, branch: null };
  const commitAt = async (ref: string) => {
    let id = await readRef(files, ref);
    for (let tags = 0; id !== null && tags < LINK_LIMIT; tags += 1) {
      const type = await objects.type(id);
      if (type !== 'tag') return type === 'commit' ? id : null;
      const target = /^object ([0-9a-f]{40})\n/.exec(
        (await objects.bytes(id, 'tag')).toString('latin1'),
      )?.[1];
      id = target ?? null;
    }
    return null;
  };
  return { tag: await commitAt(`refs/tags/${name}`), branch: await commitAt(`refs/heads/${name}`) };
}

/** `<id> <name>` a line, found without taking the file apart: it may hold tens of thousands. */
async function packedRef(files: GitFiles, ref: string): Promise<ObjectId | null> {
  const packed = await files.read('packed-refs');
  const end = packed?.indexOf(` ${ref}\n`) ?? -1;
  if (packed === null || end < 40 || (end > 40 && packed[end - 41] !== 10)) return null;
  const id = packed.toString('latin1', end - 40, end);
  return isObjectId(id) ? id : null;
}
