export { sandboxOf } from './isolation.ts';
export { createPrograms } from './programs.ts';
