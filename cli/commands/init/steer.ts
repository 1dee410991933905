/** The options of the command line that constrain the layout. */
import {
  BacktrailError,
  isShapeName,
  type Like,
  nearShapes,
  SHAPES,
  type Steering,
} from '../../../engine/index.ts';

export interface SteerOptions {
  readonly environments?: string;
  readonly shape?: string;
  readonly like?: readonly string[];
}

/** INVALID_REQUEST for what cannot be meant. */
export function toSteering({ environments, shape, like }: SteerOptions): Steering {
  return {
    ...(environments !== undefined && { environments: namesOf(environments) }),
    ...(shape !== undefined && { shape: shapeOf(shape) }),
    ...(like !== undefined && { like: like.map(likeOf) }),
  };
}

function namesOf(text: string): string[] {
  const names = text.split(',').map((name) => name.trim());
  if (names.every((name) => name !== '')) return [...new Set(names)];
  throw invalid('--environments needs names.', 'Separate them with commas: --environments prod,staging');
}

function shapeOf(name: string) {
  if (isShapeName(name)) return name;
  const near = nearShapes(name);
  const meant = near.length === 0 ? '' : `Did you mean ${near.join(' or ')}? `;
  const all = SHAPES.map((shape) => shape.name).join(', ');
  throw invalid(`There is no shape ${JSON.stringify(name.slice(0, 100))}.`, `${meant}The shapes are ${all}.`);
}

/** The last `=`: names of scopes contain none, paths may. */
function likeOf(text: string): Like {
  const cut = text.lastIndexOf('=');
  const [path, scope] = [text.slice(0, Math.max(0, cut)), text.slice(cut + 1)];
  if (cut > 0 && scope !== '') return { path: path.replace(/^\.\//, ''), scope };
  throw invalid(
    '--like needs a path and what it is.',
    'For example --like apps/api/values-prod.yaml=prod/api, or tenants/acme/prod/api/x.yaml=acme/prod/api.',
  );
}

const invalid = (message: string, hint: string) => new BacktrailError('INVALID_REQUEST', message, { hint });

const width = Math.max(...SHAPES.map(({ name }) => name.length));

export const SHAPES_HELP = SHAPES.map(
  ({ name, description }) => `  ${name.padEnd(width)}  ${description}`,
).join('\n');
