/** Renovate's custom managers: `# renovate: datasource=docker depName=…` above a value, or behind it. */
import type { Adapter } from './adapter.ts';
import { commentAbove, commentBehind } from './comments.ts';

const isMarker = (comment: string) => /#\s*renovate:\s*\S/.test(comment);

export const renovate: Adapter = {
  name: 'renovate',
  isEvidence: true,
  looksAround: false,
  mayFind: (text) => text.includes('renovate:'),
  find: (file) => commentAbove(file, isMarker) ?? commentBehind(file, isMarker),
};
