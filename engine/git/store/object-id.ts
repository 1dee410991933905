import { BacktrailError, isObjectId, type ObjectId } from '../../model/index.ts';

/** Ids come from commits that were read, but nothing else may ever stand where git reads a revision. */
export function known(id: ObjectId): ObjectId {
  if (!isObjectId(id))
    throw new BacktrailError('REVISION_INVALID', `'${String(id).slice(0, 80)}' is no full object id.`);
  return id;
}
