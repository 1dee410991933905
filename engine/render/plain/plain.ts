import { newBudget } from '../convert.ts';
import { manifestsOf, sortManifests } from '../manifests.ts';
import type { Renderer } from '../renderer.ts';

/** Renderer `plain`: Kubernetes manifests in the service's folder, with `${VARIABLE}` inserted. */
export const plain: Renderer = {
  name: 'plain',
  render: async (source) => {
    const files = await source.files();
    if (files.length === 0) return null;
    const context = { budget: newBudget(), variables: await source.variables() };
    const manifests = files.flatMap((file) => manifestsOf(file, context));
    return manifests.length === 0 ? null : { version: '1', objects: sortManifests(manifests) };
  },
};
