export { createPrograms } from './programs.ts';
