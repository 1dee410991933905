export { inOrder, renderContext, RENDERERS, renderingOf, renderServices } from './render.ts';
export { differenceOfSeen, type Seen } from './inputs.ts';
export type { Rendered, ServiceUnit } from './unit.ts';
