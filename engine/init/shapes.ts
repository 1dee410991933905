/** What `init` knows by name; apart from what proposes, which is loaded where something is proposed. */
export { isShapeName, nearShapes, SHAPES } from './proposal/shapes.ts';
export { KINDS } from './proposal/text.ts';
