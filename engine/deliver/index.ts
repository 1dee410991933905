export { RENDERERS, renderService, renderServices } from './render.ts';
export type { Rendered, ServiceUnit } from './unit.ts';
