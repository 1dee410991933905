export { sandboxOf } from './confine.ts';
export { createPrograms } from './programs.ts';
