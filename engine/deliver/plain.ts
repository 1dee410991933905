import { manifestsOf, sortManifests } from './manifests.ts';
import type { Renderer } from './renderer.ts';

/** Kubernetes manifests as they stand in the service's folder, with `${VARIABLE}` inserted. */
export const plain: Renderer = {
  name: 'plain',
  version: '1',
  render: ({ files, budget, variables }) => {
    const manifests = files.flatMap((file) => manifestsOf(file, { budget, variables }));
    return manifests.length === 0 ? null : sortManifests(manifests);
  },
};
