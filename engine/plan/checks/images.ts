import { quotePath } from '../../model/index.ts';
import type { ObservedImage, Observations, RawFinding } from '../check-input.ts';

const MOST_NAMED = 5;

/** IMAGE_MISSING: the registry has not the image. Each image has a finding of its own: each has to be mended. */
export function checkMissingImages(_: unknown, { images = [] }: Observations): RawFinding[] {
  return images
    .filter(({ answer }) => answer.state === 'missing')
    .map(({ image, path }) => ({
      code: 'IMAGE_MISSING',
      message: `The image ${quotePath(image)} is not in its registry.`,
      path,
    }));
}

/** IMAGE_MUTABLE: a tag may have been moved since; only a digest names one image for ever. */
export function checkMutableImages(_: unknown, { images = [] }: Observations): RawFinding[] {
  const mutable = images.filter(({ isMutable }) => isMutable);
  if (mutable.length === 0) return [];
  const message = `${named(mutable)} ${mutable.length === 1 ? 'has a tag' : 'have tags'} without a digest, which may name another image by now.`;
  return [{ code: 'IMAGE_MUTABLE', message, ...pathOf(mutable) }];
}

/** IMAGE_UNCHECKED: one finding a reason. */
export function checkUncheckedImages(_: unknown, { images = [] }: Observations): RawFinding[] {
  return [...groupByReason(images)].map(([reason, found]) => ({
    code: 'IMAGE_UNCHECKED',
    message: `Nobody knows whether ${named(found)} ${found.length === 1 ? 'exists' : 'exist'}: ${reason}.`,
    ...pathOf(found),
  }));
}

function groupByReason(images: readonly ObservedImage[]): ReadonlyMap<string, readonly ObservedImage[]> {
  const groups = new Map<string, ObservedImage[]>();
  for (const each of images) {
    if (each.answer.state !== 'unchecked') continue;
    const reason = each.answer.reason ?? 'the registry cannot be asked';
    groups.set(reason, [...(groups.get(reason) ?? []), each]);
  }
  return groups;
}

function named(images: readonly ObservedImage[]): string {
  const names = images.slice(0, MOST_NAMED).map(({ image }) => quotePath(image));
  const more = images.length > MOST_NAMED ? ` and ${images.length - MOST_NAMED} more` : '';
  return `${names.join(', ')}${more}`;
}

const pathOf = ([only, ...others]: readonly ObservedImage[]) =>
  only !== undefined && others.length === 0 ? { path: only.path } : {};
