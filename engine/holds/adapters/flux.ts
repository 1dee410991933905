/** Flux image automation: `# {"$imagepolicy": "namespace:name"}` behind the value that it moves (fluxcd.io/flux/guides/image-update). */
import type { Adapter } from './adapter.ts';
import { commentBehind } from './comments.ts';

const MARKER = /\{\s*["']?\$imagepolicy["']?\s*:/;

export const flux: Adapter = {
  name: 'flux',
  isEvidence: true,
  looksAround: false,
  mayFind: (text) => text.includes('$imagepolicy'),
  find: (file) => commentBehind(file, (comment) => MARKER.test(comment)),
};
