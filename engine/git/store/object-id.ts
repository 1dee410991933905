import { BacktrailError, isObjectId, type ObjectId } from '../../model/index.ts';

/** Ids come from commits that were read; this keeps any other text from reaching git as a revision. @throws REVISION_INVALID */
export function requireObjectId(id: ObjectId): ObjectId {
  if (!isObjectId(id))
    throw new BacktrailError('REVISION_INVALID', `'${String(id).slice(0, 80)}' is not a full object id.`);
  return id;
}
