import { quotePath } from '../../../model/index.ts';
import type { CheckInput, RawFinding } from '../../check-input.ts';
import { valueAt } from '../../documents/documents.ts';
import { identityOf, type Manifest, manifestChanges, nameOf } from '../../documents/manifests.ts';
import { searchPlanned } from '../../documents/search.ts';

/** What is lost with an object of these kinds, and a field that tells an object from a patch of one. */
const KINDS: Readonly<Record<string, { readonly loses: string; readonly has: readonly string[] }>> = {
  CustomResourceDefinition: { loses: 'every object of its kind', has: ['spec', 'names'] },
  Namespace: { loses: 'everything in it', has: ['metadata', 'name'] },
  PersistentVolume: { loses: 'its data', has: ['spec', 'capacity'] },
  PersistentVolumeClaim: { loses: 'its data', has: ['spec', 'accessModes'] },
  StatefulSet: { loses: 'its pods, and its volumes where they are not retained', has: ['spec', 'template'] },
};

/** DESTRUCTIVE: an object that holds data is there now, and would be nowhere afterwards. */
export async function checkDestructive(input: CheckInput): Promise<RawFinding[]> {
  const { before, after } = await manifestChanges(input);
  const findings: RawFinding[] = [];
  for (const [identity, manifest] of before) {
    const lost = Object.hasOwn(KINDS, manifest.kind) ? KINDS[manifest.kind] : undefined;
    if (lost === undefined || after.has(identity) || valueAt(manifest.value, ...lost.has) === undefined)
      continue;
    if (await isElsewhere(input, manifest)) continue;
    findings.push({
      code: 'DESTRUCTIVE',
      message: `${quotePath(nameOf(manifest))} would go away, and with it ${lost.loses}.`,
      path: manifest.path,
    });
  }
  return findings;
}

/** It may move to a file that the plan does not change. */
async function isElsewhere(input: CheckInput, manifest: Manifest): Promise<boolean> {
  if (input.outputs.length > 0) return false;
  const found = await searchPlanned(input, {
    near: true,
    words: [manifest.kind, manifest.name],
    matches: (other) => identityOf(other) === identityOf(manifest),
  });
  return found !== 'missing';
}
