/** The objects that were delivered for a target: of its manifests, or of its own files where nothing is rendered from them. */
import { deliveryOutput, foldersOf, type Layout } from '../layout/layout.ts';
import type { Coordinates, ObjectId } from '../model/index.ts';
import { createDocuments, isStructured, textAt } from '../plan/documents/documents.ts';
import { manifestOf } from '../plan/documents/manifests.ts';
import { isFile, walkFiles } from '../snapshot/view.ts';
import type { Snapshot } from '../snapshot/snapshot.ts';
import type { DeclaredObject } from './observer.ts';

/** Of one target. */
const MOST_FILES = 2000;

/** Files by which a folder is rendered, and is not what is applied. */
const RENDERED_BY = new Set(['kustomization.yaml', 'kustomization.yml', 'Kustomization', 'Chart.yaml']);

export async function manifestsAt(
  snapshot: Snapshot,
  coordinates: Coordinates,
  commit: ObjectId,
): Promise<readonly DeclaredObject[]> {
  const view = await snapshot.view(commit);
  const documents = createDocuments(snapshot);
  const objects: DeclaredObject[] = [];
  for (const path of await filesOf(snapshot, coordinates, commit)) {
    const entry = await view.entry(path);
    if (entry === null || !isFile(entry.mode)) continue;
    for (const value of (await documents.read(path, entry)) ?? []) {
      const manifest = manifestOf(path, value);
      const apiVersion = textAt(value, 'apiVersion');
      if (manifest === null || apiVersion === undefined) continue;
      const { kind, name, namespace } = manifest;
      objects.push({ apiVersion, kind, name, namespace: namespace === '' ? null : namespace, path, value });
    }
  }
  return objects;
}

async function filesOf(
  snapshot: Snapshot,
  coordinates: Coordinates,
  commit: ObjectId,
): Promise<readonly string[]> {
  const output = deliveryOutput(snapshot.layout, coordinates);
  if (output !== null) return [output];
  const view = await snapshot.view(commit);
  const paths = [];
  for (const folder of ownFolders(snapshot.layout, coordinates))
    for (const { path, mode } of await walkFiles(view, folder)) if (isFile(mode)) paths.push(path);
  const isRendered = paths.some((path) => RENDERED_BY.has(path.slice(path.lastIndexOf('/') + 1)));
  return isRendered ? [] : paths.filter(isStructured).slice(0, MOST_FILES);
}

function ownFolders(layout: Layout, coordinates: Coordinates): readonly string[] {
  const patterns = coordinates.service === undefined ? layout.environment : layout.service;
  return foldersOf(
    patterns.filter(({ selector }) => selector === null),
    coordinates,
  );
}
