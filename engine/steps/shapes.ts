/** What `init` knows by name; apart from what proposes, which is loaded where something is proposed. */
export { isShapeName, nearShapes, SHAPES } from '../init/proposal/shapes.ts';
export { KINDS } from '../init/proposal/text.ts';
