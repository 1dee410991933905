export { sortByOutput, renderContext, RENDERERS, treeRenderer, renderServices } from './render.ts';
export { differenceOfInputs, type RenderInputs } from './render-inputs.ts';
export type { Rendered, ServiceUnit } from './service-unit.ts';
